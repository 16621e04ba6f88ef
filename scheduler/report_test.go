package scheduler

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/db"
	"staffeln/view/report"
)

// A notice makes its group due at once, whatever the period, but not before the next check of a project without receivers.
func TestNoticeMakesReportGroupDueAtOnce(t *testing.T) {
	const period = 24 * time.Hour
	deliveredAt := new(now.Add(-time.Minute))
	members := report.Reporting{SenderEmail: "a@b.example"}
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
		"nothing":                            {members, nil, unsentNotices{}, nil, nil},
		"a notice":                           {members, nil, both, map[string]db.ReportGroup{"p": {DeliveredAt: deliveredAt}, "all": {DeliveredAt: deliveredAt}}, []string{"all", "p"}},
		"for the project alone":              {members, nil, unsentNotices{[]string{"p"}, false}, nil, []string{"p"}},
		"one report of all":                  {list, nil, both, nil, []string{"all", "p"}},
		"to the log":                         {report.Reporting{}, nil, both, nil, []string{"all"}},
		"a report that nobody has yet":       {members, nil, both, map[string]db.ReportGroup{"p": {Open: true}}, []string{"all", "p"}},
		"no receiver, and the look is later": {members, nil, both, map[string]db.ReportGroup{"p": {NextTryAt: new(now.Add(1))}}, []string{"all"}},
		"no receiver, and it is time":        {members, nil, both, map[string]db.ReportGroup{"p": {NextTryAt: &now}}, []string{"all", "p"}},
		"reports fail, the newest just now":  {members, nil, both, map[string]db.ReportGroup{"p": {NextTryAt: new(now.Add(6*time.Hour - 29*time.Minute)), Failures: 9}}, []string{"all"}},
		"reports fail for half an hour":      {members, nil, both, map[string]db.ReportGroup{"p": {NextTryAt: new(now.Add(6*time.Hour - 30*time.Minute)), Failures: 9}}, []string{"all", "p"}},
		"one failed just now":                {members, nil, both, map[string]db.ReportGroup{"p": {NextTryAt: new(now.Add(time.Minute)), Failures: 1}}, []string{"all"}},
		"a worker is at it":                  {members, nil, both, map[string]db.ReportGroup{"p": {Leased: true}}, []string{"all"}},
		"a finding about no project":         {members, about, unsentNotices{}, nil, nil},
		"and an operator":                    {operator, about, unsentNotices{}, nil, []string{"all"}},
		"and one report of all":              {list, about, unsentNotices{}, nil, []string{"all"}},
	} {
		var due []string
		for _, item := range dueReports(now, period, c.reporting, c.unreported, c.unsent, c.groups) {
			due = append(due, item.Group)
		}
		require.Equal(t, c.due, due, name)
	}
}
