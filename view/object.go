package view

import (
	"cmp"
	"fmt"
	"strings"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/internal/visible"
)

// Object names a volume in views.
type Object struct {
	VolumeNames

	ProjectID   string `json:"project_id" desc:"of the owning project"`
	ProjectName string `json:"project_name" desc:"its name"`
}

// ObjectOf names the volume of a record.
func ObjectOf(r backup.Record) Object {
	return Object{VolumeNames{VolumeID: r.VolumeID, VolumeName: r.VolumeName, ServerID: r.ServerID, ServerName: r.ServerName}, r.ProjectID, r.ProjectName}
}

// ObjectOfVolume names a volume that is known from the plans.
func ObjectOfVolume(v db.Volume) Object {
	return Object{VolumeNames{VolumeID: v.ID, VolumeName: v.Name, ServerID: v.ServerID, ServerName: v.ServerName}, v.ProjectID, v.ProjectName}
}

// Volume returns the volume's name, or its ID if it has no name.
func (o Object) Volume() string { return Or(o.VolumeName, o.VolumeID) }

// Server returns the server's name, or its ID.
func (o Object) Server() string { return Or(o.ServerName, o.ServerID) }

// Project returns the project's name, or its ID.
func (o Object) Project() string { return Or(o.ProjectName, o.ProjectID) }

// Compare orders by name.
func (o Object) Compare(p Object) int {
	return cmp.Or(cmp.Compare(o.ProjectName, p.ProjectName), cmp.Compare(o.VolumeName, p.VolumeName), cmp.Compare(o.VolumeID, p.VolumeID))
}

// All returns all three names, the most specific first.
func (o Object) All() string {
	words := []string{o.Volume()}
	for _, word := range []string{o.Server(), o.Project()} {
		if word != "" {
			words = append(words, word)
		}
	}
	return strings.Join(words, ", ")
}

// Or returns the name in a readable form, or the ID if there is no name.
func Or(name, id string) string {
	if name == "" {
		return id
	}
	return visible.Text(name)
}

// Reason is a code of the closed set, for programs and for people.
type Reason struct {
	Code     backup.Reason `json:"code" desc:"as in the log, the metrics and the runbook; \"\": no reason"`
	Sentence string        `json:"sentence" desc:"the same for people"`
	MustAct  backup.Owner  `json:"must_act" desc:"tenant, operator or nobody"`
}

// ReasonOf returns the view of a reason.
func ReasonOf(r backup.Reason) Reason {
	if r == "" {
		return Reason{MustAct: backup.Nobody}
	}
	return Reason{r, r.Sentence(), r.Whose()}
}

// Words returns the sentence with its code, and who must take action, if anybody.
func (r Reason) Words() string {
	words := fmt.Sprintf("%s (%s)", r.Sentence, r.Code)
	if r.MustAct != backup.Nobody {
		words += " The " + string(r.MustAct) + " must take action."
	}
	return words
}
