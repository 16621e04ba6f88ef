// Package report has the rules of reports and notices: when one is due, when one that failed is tried again, and who gets it.
// Package view has their content and forms.
//
// It is a pure package: values in, values out. It must not know where the facts come from or how a mail is sent.
package report

// All is the group of a report about all projects; any other group is the ID of its one project.
const All = "all"

// Reporting are the settings that both the scheduler (is a report due?) and the worker (who sends it) need.
type Reporting struct {
	Receiver              []string `split_words:"true" desc:"Addresses that get one report of all projects, each a mail of its own. Empty: each project gets its own report, at PROJECT_RECEIVER_DOMAIN or at the addresses of its members."`
	ProjectReceiverDomain string   `split_words:"true" desc:"A project's report is sent to <project name>@ this domain. If this and RECEIVER are empty: to the e-mail addresses of the users that have a role in the project."`
	OperatorReceiver      []string `split_words:"true" desc:"Addresses of the operator where each project gets its own report: they get every notice (protection that ended, a retention that was shortened) and the findings about no single project. With RECEIVER set it is not needed. Both empty: the notices go to the log of a worker, and these findings to nobody (staffeln status shows them, and the log of a scheduler when they begin)."`
	SenderEmail           string   `split_words:"true" desc:"Address that reports come from. Empty: no mail is sent, and one report of all projects is written to the log of a worker."`
}

// ToLog reports whether reports go to the log instead of people.
func (r Reporting) ToLog() bool { return r.SenderEmail == "" }

// Operator returns the addresses for the operator's mails; none: the log.
func (r Reporting) Operator() []string {
	if r.ToLog() {
		return nil
	}
	if len(r.Receiver) > 0 {
		return r.Receiver
	}
	return r.OperatorReceiver
}

// Has reports whether reports are made for the group.
func (r Reporting) Has(group string) bool {
	if group == All {
		return r.Together() || len(r.OperatorReceiver) > 0
	}
	return !r.Together()
}

// Together reports whether one report covers all projects.
func (r Reporting) Together() bool { return r.ToLog() || len(r.Receiver) > 0 }
