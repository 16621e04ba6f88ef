package db

// inOrder begins a statement that writes several rows of a table. It selects the rows for which the condition holds and locks
// them in the order of their IDs. Every statement that locks several rows of one table uses this order, and a transaction that
// locks a volume and a record locks the volume first ([Lease.move]). This prevents deadlocks.
func inOrder(table, condition string) string {
	return `WITH locked AS (SELECT id FROM ` + table + ` WHERE ` + condition + ` ORDER BY id FOR NO KEY UPDATE) `
}

// lockOnly ends a statement that only locks.
const lockOnly = `SELECT count(*) FROM locked`
