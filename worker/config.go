package worker

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"staffeln/backup"
	"staffeln/internal/keyfile"
	"staffeln/view/report"
)

// Config is the worker's environment. The operator's policy is the same as the scheduler's.
type Config struct {
	backup.Settings
	report.Reporting
	Mail

	WorkerConcurrency int `split_words:"true" default:"20" min:"1" unit:"tasks" desc:"Tasks that one worker runs at the same time. More ask more of Cinder's API at once; how many backups are made at the same time is the caps' affair."`
}

// Mail is how mails are sent.
type Mail struct {
	SenderPwd string `split_words:"true" secret:"true" desc:"Password to log in to the mail server with; with a public provider an application password. Empty: no login."`
	SMTP      SMTP
}

// SMTP is the mail server and how the worker connects to it.
type SMTP struct {
	Server   string `split_words:"true" default:"localhost:25" desc:"Host and port of the mail server: 25 of a relay of your own, 587 (SMTP_TLS=required) or 465 (SMTP_TLS=implicit) of a provider."`
	TLS      string `split_words:"true" desc:"How TLS is spoken: none, opportunistic (STARTTLS where it is offered), required (STARTTLS or no mail) or implicit (TLS from the first byte). Empty: required with SENDER_PWD, else opportunistic. A password over less than required is refused."`
	Username string `split_words:"true" desc:"Name to log in with; empty: SENDER_EMAIL."`
	CAFile   string `split_words:"true" desc:"File with the certificates, PEM, that the mail server's must be signed by; empty: those of the system."`
}

// The TLS policies for the connection to a mail server.
const (
	tlsNone          = "none"
	tlsOpportunistic = "opportunistic"
	tlsRequired      = "required"
	tlsImplicit      = "implicit"
)

// TLSPolicy returns the effective TLS policy.
func (m Mail) TLSPolicy() string {
	switch {
	case m.SMTP.TLS != "":
		return m.SMTP.TLS
	case m.SenderPwd != "":
		return tlsRequired
	}
	return tlsOpportunistic
}

// Validate returns the errors of addresses, of the mail server, and of a password that would be sent unencrypted.
func (c Config) Validate() error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if c.SenderEmail != "" {
		if err := checkAddress(c.SenderEmail); err != nil {
			fault("SENDER_EMAIL: %w", err)
		}
	}
	for _, one := range c.Receiver {
		if err := checkAddress(one); err != nil {
			fault("RECEIVER: %w", err)
		}
	}
	for _, one := range c.OperatorReceiver {
		if err := checkAddress(one); err != nil {
			fault("OPERATOR_RECEIVER: %w", err)
		}
	}
	if domain := c.ProjectReceiverDomain; domain != "" && checkAddress("project@"+domain) != nil {
		fault("PROJECT_RECEIVER_DOMAIN: %.80q: want a domain such as example.org", domain)
	}
	if c.SenderEmail == "" && (len(c.Receiver) > 0 || len(c.OperatorReceiver) > 0 || c.ProjectReceiverDomain != "" || c.SenderPwd != "") {
		fault("SENDER_EMAIL: missing; required where there are RECEIVER, OPERATOR_RECEIVER, PROJECT_RECEIVER_DOMAIN or SENDER_PWD")
	}
	if host, port, err := net.SplitHostPort(c.SMTP.Server); err != nil || host == "" || port == "" {
		fault("SMTP_SERVER: %.80q: want host:port", c.SMTP.Server)
	}
	policies := []string{tlsNone, tlsOpportunistic, tlsRequired, tlsImplicit}
	switch {
	case !slices.Contains(policies, c.TLSPolicy()):
		fault("SMTP_TLS: %.80q: want %s", c.SMTP.TLS, strings.Join(policies, ", "))
	case c.SenderPwd != "" && (c.TLSPolicy() == tlsNone || c.TLSPolicy() == tlsOpportunistic):
		fault("SMTP_TLS: %s: want required or implicit with SENDER_PWD, else the password would be sent unencrypted", c.TLSPolicy())
	}
	if _, err := keyfile.ClientTLS(c.SMTP.CAFile); err != nil {
		fault("SMTP_CA_FILE: %w", err)
	}
	return errors.Join(faults...)
}
