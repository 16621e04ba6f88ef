package worker

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/internal/testkit/mailbox"
	"staffeln/view/report"
)

const sender, password = "staffeln@ops.example", "a secret"

var loggingIn = mailbox.Options{TLS: true, User: sender, Password: password}

func mailerTo(t *testing.T, s *mailbox.Server, change func(*Mail)) *Mailer {
	t.Helper()
	settings := Mail{SMTP: SMTP{Server: s.Address, CAFile: s.CAFile}}
	if change != nil {
		change(&settings)
	}
	m, err := NewMailer(report.Reporting{SenderEmail: sender}, settings)
	require.NoError(t, err)
	return m
}

func withPassword(m *Mail) { m.SenderPwd = password }

func testMessage(to string) Message {
	return Message{
		To: to, MessageID: "staffeln.1.0@ops.example", Date: time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC),
		Subject: "Backups of acme: all is well", Text: "All is well.\n", HTML: "<p>All is well.</p>",
	}
}

func TestMailer_SendsHeadersAndBothForms(t *testing.T) {
	s := mailbox.Start(t, loggingIn)
	response, err := mailerTo(t, s, withPassword).Send(t.Context(), testMessage("alice@acme.example"), nil)
	require.NoError(t, err)
	require.Contains(t, response, "OK")
	require.Len(t, s.Inbox(), 1)
	got := s.Inbox()[0]
	require.Equal(t, []string{sender, "alice@acme.example", sender}, []string{got.From, got.To, got.User})
	require.True(t, got.Secure)
	for name, want := range map[string]string{
		"From": "<staffeln@ops.example>", "To": "<alice@acme.example>", "Subject": "Backups of acme: all is well", "Message-Id": "<staffeln.1.0@ops.example>",
		"Date": "Mon, 02 Mar 2026 12:00:00 +0000", "Auto-Submitted": "auto-generated", "Cc": "", "Bcc": "",
	} {
		require.Equal(t, want, got.Header.Get(name), name)
	}
	require.Contains(t, got.Header.Get("Content-Type"), "multipart/alternative")
	require.Contains(t, got.Body, "All is well.")
	require.Less(t, strings.Index(got.Body, "text/plain"), strings.Index(got.Body, "text/html"), "the better form comes last")
}

func TestMailer_TLS(t *testing.T) {
	for name, c := range map[string]struct {
		server mailbox.Options
		change func(*Mail)
		secure bool
		fault  string // empty: it is sent
	}{
		"none":                                    {mailbox.Options{TLS: true}, func(m *Mail) { m.SMTP.TLS = tlsNone }, false, ""},
		"opportunistic, offered":                  {mailbox.Options{TLS: true}, nil, true, ""},
		"opportunistic, not offered":              {mailbox.Options{}, nil, false, ""},
		"required, not offered":                   {mailbox.Options{}, func(m *Mail) { m.SMTP.TLS = tlsRequired }, false, "does not support STARTTLS"},
		"with a password it is required":          {mailbox.Options{User: sender, Password: password}, withPassword, false, "does not support STARTTLS"},
		"required, with a password":               {loggingIn, withPassword, true, ""},
		"implicit, with a password":               {mailbox.Options{Implicit: true, User: sender, Password: password}, func(m *Mail) { withPassword(m); m.SMTP.TLS = tlsImplicit }, true, ""},
		"implicit, not offered by the server":     {mailbox.Options{TLS: true}, func(m *Mail) { m.SMTP.TLS = tlsImplicit }, false, "tls:"},
		"an untrusted certificate":                {mailbox.Options{TLS: true}, func(m *Mail) { m.SMTP.TLS, m.SMTP.CAFile = tlsRequired, "" }, false, "certificate"},
		"opportunistic, an untrusted certificate": {mailbox.Options{TLS: true}, func(m *Mail) { m.SMTP.CAFile = "" }, false, "certificate"},
		"a wrong password":                        {loggingIn, func(m *Mail) { m.SenderPwd = "wrong" }, false, "535"},
		"a login of its own":                      {mailbox.Options{TLS: true, User: "postman", Password: password}, func(m *Mail) { withPassword(m); m.SMTP.Username = "postman" }, true, ""},
		"no login, required by the server":        {loggingIn, nil, false, "502"},
	} {
		t.Run(name, func(t *testing.T) {
			s := mailbox.Start(t, c.server)
			_, err := mailerTo(t, s, c.change).Send(t.Context(), testMessage("alice@acme.example"), nil)
			if c.fault != "" {
				require.ErrorContains(t, err, c.fault)
				require.NotContains(t, err.Error(), password)
				require.Empty(t, s.Inbox())
				return
			}
			require.NoError(t, err)
			require.Len(t, s.Inbox(), 1)
			require.Equal(t, c.secure, s.Inbox()[0].Secure)
		})
	}
}

func TestMailer_ReturnsErrorWhenServerRefusesStallsOrDies(t *testing.T) {
	s := mailbox.Start(t, mailbox.Options{TLS: true})
	m := mailerTo(t, s, nil)
	s.Refuse("nobody@acme.example", true)
	_, err := m.Send(t.Context(), testMessage("nobody@acme.example"), nil)
	require.ErrorContains(t, err, "550")
	require.ErrorContains(t, err, "no such user here")

	m.stepTime = 200 * time.Millisecond
	s.Stall("slow@acme.example", true)
	_, err = m.Send(t.Context(), testMessage("slow@acme.example"), nil)
	require.ErrorContains(t, err, "timeout")
	m.stepTime = stepTime
	require.Empty(t, s.Inbox())

	s.DieAfterData(1)
	_, err = m.Send(t.Context(), testMessage("alice@acme.example"), nil)
	require.ErrorContains(t, err, "EOF", "the server did not confirm it")
	_, err = m.Send(t.Context(), testMessage("alice@acme.example"), nil)
	require.NoError(t, err)
	require.Len(t, s.Inbox(), 2)
	require.Equal(t, s.Inbox()[0].Header.Get("Message-Id"), s.Inbox()[1].Header.Get("Message-Id"))

	s.Down(true)
	_, err = m.Send(t.Context(), testMessage("alice@acme.example"), nil)
	require.ErrorContains(t, err, "421")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = m.Send(ended, testMessage("alice@acme.example"), nil)
	require.ErrorIs(t, err, context.Canceled)
}

func TestMailer_PassesOnProtocolLinesWithoutPassword(t *testing.T) {
	s := mailbox.Start(t, loggingIn)
	var steps []string
	_, err := mailerTo(t, s, withPassword).Send(t.Context(), testMessage("alice@acme.example"), func(step string) { steps = append(steps, step) })
	require.NoError(t, err)
	all := strings.Join(steps, "\n")
	for _, word := range []string{"we:     EHLO", "we:     STARTTLS", "server: 220", "we:     MAIL FROM:<staffeln@ops.example>", "we:     RCPT TO:<alice@acme.example>", "we:     DATA"} {
		require.Contains(t, all, word)
	}
	require.NotContains(t, all, password)
	require.NotContains(t, all, "AHN0YWZmZWxu") // base64 of the beginning of the login
}

// No name from the cloud becomes a receiver or a header.
func TestMailer_HostileNamesAddNoReceiverOrHeader(t *testing.T) {
	s := mailbox.Start(t, mailbox.Options{TLS: true})
	m := mailerTo(t, s, nil)
	for _, to := range []string{
		"a@b.example, c@d.example", "a@b.example\r\nBcc: c@d.example", "A <a@b.example>", "a b@c.example", `"a b"@c.example`, "@b.example", "a@", "a@b@c.example",
		"a@[127.0.0.1]", "ä@b.example", "a@b.example>", "<a@b.example", "a@b.example\x00", "a@-b.example", "", "a..b@c.example", strings.Repeat("x", 65) + "@b.example",
		"a@" + strings.Repeat("x.", 130) + "example", "a@b.example SIZE=1", "a@b.example\nRCPT TO:<c@d.example>",
	} {
		_, err := m.Send(t.Context(), testMessage(to), nil)
		require.Error(t, err, "%q", to)
	}
	require.Empty(t, s.Inbox())
	for _, subject := range []string{"acme\r\nBcc: mallory@evil.example\r\n\r\n<b>body</b>", "\u202egnp.exe", "💾 naïve", strings.Repeat("x", 255)} {
		l := testMessage("alice@acme.example")
		l.Subject = subject
		_, err := m.Send(t.Context(), l, nil)
		require.NoError(t, err)
	}
	for _, got := range s.Inbox() {
		require.Empty(t, got.Header.Get("Bcc"))
		require.Equal(t, "<alice@acme.example>", got.Header.Get("To"))
		for name := range got.Header {
			require.Contains(t, []string{"Auto-Submitted", "Content-Type", "Date", "From", "Message-Id", "Mime-Version", "Subject", "To", "User-Agent", "X-Mailer"}, name)
		}
	}
}
