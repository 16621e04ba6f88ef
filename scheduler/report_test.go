package scheduler

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/db"
	"staffeln/view/report"
)

// A notice makes its group due at once, before the period ends, but not before the next check of a project without receivers.
func TestNoticeMakesReportGroupDueAtOnce(t *testing.T) {
	const period = 24 * time.Hour
	deliveredAt := new(now.Add(-time.Minute))
	perProject := report.Reporting{SenderEmail: "a@b.example"}
	list := report.Reporting{SenderEmail: "a@b.example", Receiver: []string{"ops@b.example"}}
	operator := report.Reporting{SenderEmail: "a@b.example", OperatorReceiver: []string{"ops@b.example"}}
	about := []db.Unreported{{ProjectID: "", Matter: new(now.Add(-2 * period))}}
	both := unsentNotices{[]string{"p"}, true}
	for name, c := range map[string]struct {
		reporting  report.Reporting
		unreported []db.Unreported
		unsent     unsentNotices
		groups     map[string]db.ReportGroup
		due        []string
	}{
		"nothing":                           {perProject, nil, unsentNotices{}, nil, nil},
		"a notice":                          {perProject, nil, both, map[string]db.ReportGroup{"p": {DeliveredAt: deliveredAt}, "all": {DeliveredAt: deliveredAt}}, []string{"all", "p"}},
		"for the project alone":             {perProject, nil, unsentNotices{[]string{"p"}, false}, nil, []string{"p"}},
		"one report of all":                 {list, nil, both, nil, []string{"all", "p"}},
		"to the log":                        {report.Reporting{}, nil, both, nil, []string{"all"}},
		"a report that is not sent yet":     {perProject, nil, both, map[string]db.ReportGroup{"p": {Open: true}}, []string{"all", "p"}},
		"no receiver, checked again later":  {perProject, nil, both, map[string]db.ReportGroup{"p": {NextTryAt: new(now.Add(1))}}, []string{"all"}},
		"no receiver, and it is time":       {perProject, nil, both, map[string]db.ReportGroup{"p": {NextTryAt: &now}}, []string{"all", "p"}},
		"reports fail, the newest just now": {perProject, nil, both, map[string]db.ReportGroup{"p": {NextTryAt: new(now.Add(6*time.Hour - 29*time.Minute)), Failures: 9}}, []string{"all"}},
		"reports fail for half an hour":     {perProject, nil, both, map[string]db.ReportGroup{"p": {NextTryAt: new(now.Add(6*time.Hour - 30*time.Minute)), Failures: 9}}, []string{"all", "p"}},
		"one failed just now":               {perProject, nil, both, map[string]db.ReportGroup{"p": {NextTryAt: new(now.Add(time.Minute)), Failures: 1}}, []string{"all"}},
		"leased by a worker":                {perProject, nil, both, map[string]db.ReportGroup{"p": {Leased: true}}, []string{"all"}},
		"a finding about no project":        {perProject, about, unsentNotices{}, nil, nil},
		"and an operator":                   {operator, about, unsentNotices{}, nil, []string{"all"}},
		"and one report of all":             {list, about, unsentNotices{}, nil, []string{"all"}},
	} {
		var due []string
		for _, item := range dueReports(now, period, c.reporting, c.unreported, c.unsent, c.groups) {
			due = append(due, item.Group)
		}
		require.Equal(t, c.due, due, name)
	}
}
