// Package takeover reads the tables of the Python program that Staffeln replaces, and decides which of its backups become records
// of ours. It is pure: others read the files, the cloud and the database, and write the records.
package takeover
