package cli

import (
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"staffeln/internal/config"
	"staffeln/worker"
)

// sendTestConfig is the configuration of the worker.
type sendTestConfig struct{ config.Worker }

func sendTestCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "send-test ADDRESS", Short: "Sends a test mail and prints the mail server's response at each step.",
		Example: "  STAFFELN_SENDER_PWD_FILE=/run/secrets/mail staffeln report send-test alice@example.org",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return UsageError{fmt.Errorf("send-test: name one ADDRESS; see %s --help", cmd.CommandPath())}
			}
			return nil
		},
	}
	c.Long = c.Short + "\n\nIt needs neither database nor cloud. Run it with the worker's environment:\n" + config.Listing(new(sendTestConfig), false)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		cfg := new(sendTestConfig)
		if _, err := configure(cmd, cfg); err != nil {
			return err
		}
		mailer, err := worker.NewMailer(cfg.Reporting, cfg.Mail)
		if err != nil {
			return UsageError{err}
		}
		if mailer == nil {
			return UsageError{fmt.Errorf("read configuration: STAFFELN_SENDER_EMAIL is not set: reports go to the log, and no mail is sent")}
		}
		printf := func(format string, words ...any) { _, _ = fmt.Fprintf(cmd.OutOrStdout(), format+"\n", words...) } // to a terminal
		printf("mail server %s, from %s, TLS %s", cfg.SMTP.Server, cfg.SenderEmail, cfg.TLSPolicy())
		response, err := mailer.Send(cmd.Context(), worker.Message{
			To: args[0], MessageID: "staffeln.test." + strings.ToLower(rand.Text()) + "@" + cfg.SenderEmail[strings.Index(cfg.SenderEmail, "@")+1:],
			Date:    time.Now(), //nolint:forbidigo // of a mail that no record is about
			Subject: "Staffeln: test mail",
			Text:    "This is a test mail of Staffeln. Reports about backups come from this address.\n",
		}, func(step string) { printf("  %s", strings.TrimRight(step, "\r\n")) })
		if err != nil {
			return fmt.Errorf("%w: %s", err, sendTestAdvice(err))
		}
		printf("sent: %s", response)
		return nil
	}
	return c
}

// sendTestAdvice returns what to do about the most frequent faults.
func sendTestAdvice(err error) string {
	for _, known := range [][2]string{
		{"certificate", "set the CA in STAFFELN_SMTP_CA_FILE, and in STAFFELN_SMTP_SERVER the host name of the certificate"},
		{"STARTTLS", "the server offers no TLS: try port 587, or STAFFELN_SMTP_TLS=implicit with port 465, or another server"},
		{"first record does not look like a TLS handshake", "the server does not begin with TLS: set STAFFELN_SMTP_TLS=required"},
		{"535", "the login is refused: public providers want an application password, not the account's"},
		{"AUTH", "the login failed: check STAFFELN_SMTP_USERNAME, and whether the server wants a login at all"},
		{"connection refused", "nothing listens there: check STAFFELN_SMTP_SERVER"},
		{"timeout", "the server stopped responding: check the port, and firewalls on the way"},
	} {
		if strings.Contains(err.Error(), known[0]) {
			return known[1]
		}
	}
	return "see the server's responses above"
}
