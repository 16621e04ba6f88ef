package main

import (
	"crypto/rand"
	"fmt"
	"os"
	"strings"
	"time"

	"staffeln/internal/config"

	"github.com/spf13/cobra"

	"staffeln/worker"
)

// sendTestConfig is what a test mail reads: the worker's own.
type sendTestConfig struct{ config.Worker }

func sendTestCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "send-test ADDRESS", Short: "Sends a test mail and says what the mail server answered at each step.",
		Example: "  STAFFELN_SENDER_PWD_FILE=/run/secrets/mail staffeln report send-test alice@example.org",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usageError{fmt.Errorf("read arguments: %d: want one ADDRESS; see %s --help", len(args), cmd.CommandPath())}
			}
			return nil
		},
	}
	c.Long = c.Short + "\n\nIt needs neither database nor cloud. Give it the worker's environment:\n" + config.Listing(new(sendTestConfig), false)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		cfg := new(sendTestConfig)
		if err := config.Load(os.Environ(), cfg); err != nil {
			return usageError{fmt.Errorf("read configuration: nothing was sent:\n%w", err)}
		}
		mailer, err := worker.NewMailer(cfg.Reporting, cfg.Mail)
		if err != nil {
			return usageError{err}
		}
		if mailer == nil {
			return usageError{fmt.Errorf("read configuration: STAFFELN_SENDER_EMAIL is not set: reports go to the log, and no mail is sent")}
		}
		say := func(format string, words ...any) { _, _ = fmt.Fprintf(cmd.OutOrStdout(), format+"\n", words...) } // to a terminal
		say("mail server %s, from %s, TLS %s", cfg.SMTP.Server, cfg.SenderEmail, cfg.TLSPolicy())
		answer, err := mailer.Send(cmd.Context(), worker.Letter{
			To: args[0], MessageID: "staffeln.test." + strings.ToLower(rand.Text()) + "@" + cfg.SenderEmail[strings.Index(cfg.SenderEmail, "@")+1:],
			Date:    time.Now(), //nolint:forbidigo // of a letter that no record is about
			Subject: "Staffeln: test mail",
			Text:    "This is a test mail of Staffeln. Reports of backups would come from here.\n",
		}, func(step string) { say("  %s", strings.TrimRight(step, "\r\n")) })
		if err != nil {
			return fmt.Errorf("%w: %s", err, sendTestAdvice(err))
		}
		say("sent: %s", answer)
		return nil
	}
	return c
}

// sendTestAdvice says what to do about the faults that are met most.
func sendTestAdvice(err error) string {
	for _, known := range [][2]string{
		{"certificate", "name the CA in STAFFELN_SMTP_CA_FILE, and in STAFFELN_SMTP_SERVER the host as the certificate has it"},
		{"STARTTLS", "the server offers no TLS: try port 587, or STAFFELN_SMTP_TLS=implicit with port 465, or another server"},
		{"first record does not look like a TLS handshake", "the server does not begin with TLS: STAFFELN_SMTP_TLS=required"},
		{"535", "the login is refused: public providers want an application password, not that of the account"},
		{"AUTH", "the login did not work: is STAFFELN_SMTP_USERNAME right, and SENDER_PWD wanted at all?"},
		{"connection refused", "nothing listens there: is STAFFELN_SMTP_SERVER right?"},
		{"timeout", "the server fell silent: is the port right, and not filtered on the way?"},
	} {
		if strings.Contains(err.Error(), known[0]) {
			return known[1]
		}
	}
	return "the server's words above say why"
}
