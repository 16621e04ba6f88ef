package db

// inOrder begins a statement that writes several rows of a table: it names those
// that the condition holds for, and locks them by their IDs. Every statement
// that locks several rows of one table does it in this order, and whoever locks
// a volume and a record locks the volume first ([Lease.move]): then no two
// transactions wait for each other.
func inOrder(table, condition string) string {
	return `WITH locked AS (SELECT id FROM ` + table + ` WHERE ` + condition + ` ORDER BY id FOR NO KEY UPDATE) `
}

// lockAlone ends a statement that only locks.
const lockAlone = `SELECT count(*) FROM locked`
