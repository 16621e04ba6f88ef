// Package view gathers what people and programs are shown of the memory: the same facts, words and reasons in the
// terminal, over HTTP and on the page.
//
// It decides nothing: package backup does. It knows nothing of terminals and HTTP, and reads nothing but one look at the
// memory. Whoever may see one project only sees nothing of another one here: that is [Reader.Project].
package view

import "staffeln/backup"

// A Reader is for whom the memory is read, and by which rules.
type Reader struct {
	Settings backup.Settings
	// Project is the ID of the only project whose volumes, backups and findings are shown, without who works on Staffeln
	// itself; empty shows all to an operator.
	Project string
	// First is how many of each kind a status lists; 0 is all.
	First int
	// Given tells whether a variable of the configuration, by its whole name, is set where this runs.
	Given func(variable string) bool
}

// mayNot tells whether something of a project is kept from the reader.
func (r Reader) mayNot(projectID string) bool { return r.Project != "" && projectID != r.Project }
