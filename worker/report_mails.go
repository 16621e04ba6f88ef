package worker

import (
	"fmt"
	"strings"

	"staffeln/db"
)

// mails adds one mail per receiver.
func (r *Reporter) mails(made db.NewReport, to []string) db.NewReport {
	for i, receiver := range to {
		made.Mails = append(made.Mails, db.NewMail{Receiver: receiver, MessageID: r.messageID(made.ID, i)})
	}
	return made
}

// toLog is the receiver in the outbox if reports go to the log. It can't be confused with an address.
const toLog = "log"

func unique(all []string) []string {
	var once []string
	seen := map[string]bool{}
	for _, one := range all {
		if !seen[one] {
			seen[one] = true
			once = append(once, one)
		}
	}
	return once
}

// messageID is the same for each try of one receiver's mail, so that a duplicate can be recognised.
func (r *Reporter) messageID(reportID string, receiver int) string {
	_, domain, found := strings.Cut(r.Reporting.SenderEmail, "@")
	if !found {
		domain = "localhost"
	}
	return fmt.Sprintf("staffeln.%s.%d@%s", reportID, receiver, domain)
}
