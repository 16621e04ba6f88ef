// Package view gathers what people and programs see of the database: the same facts, words and reasons in the terminal,
// over HTTP, on the web page, and in reports and notices.
//
// It decides nothing: package backup does. It knows nothing of terminals and HTTP, and reads only from one snapshot of the
// database. A reader who may see only one project gets nothing of another one here: see [Reader.Project].
package view

import "staffeln/backup"

// A Reader is the person for whom the database is read, and the policy that applies.
type Reader struct {
	Settings backup.Settings
	// Project is the ID of the only project whose volumes, backups and findings are shown, without Staffeln's leader
	// and the names of its operators. Empty shows everything, to an operator.
	Project string
	// First is how many of each kind a status lists; 0 is all.
	First int
	// Given reports whether a variable of the configuration, by its full name, is set in this process.
	Given func(variable string) bool
}

// mayNotSee reports whether the reader may not see the project.
func (r Reader) mayNotSee(projectID string) bool { return r.Project != "" && projectID != r.Project }
