package worker

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/log"

	"staffeln/internal/keyfile"
	"staffeln/internal/visible"
	"staffeln/view"
	"staffeln/view/report"
)

const (
	// stepTime limits the login to the mail server, and then the sending; mailTime limits both together.
	stepTime = 20 * time.Second
	mailTime = 40 * time.Second
)

// A Mailer sends mails, each over a connection of its own.
type Mailer struct {
	from, username, password string
	host                     string
	port                     int
	policy                   string
	tls                      *tls.Config
	stepTime, mailTime       time.Duration
}

// NewMailer returns a Mailer for a valid configuration; nil if no mail is to be sent.
func NewMailer(r report.Reporting, m Mail) (*Mailer, error) {
	if r.ToLog() {
		return nil, nil //nolint:nilnil // as documented
	}
	host, port, err := net.SplitHostPort(m.SMTP.Server)
	if err != nil {
		return nil, fmt.Errorf("read SMTP_SERVER: %w", err)
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("read SMTP_SERVER: port: %w", err)
	}
	config, err := keyfile.ClientTLS(m.SMTP.CAFile)
	if err != nil {
		return nil, fmt.Errorf("read SMTP_CA_FILE: %w", err)
	}
	config.ServerName = host
	username := m.SMTP.Username
	if username == "" {
		username = r.SenderEmail
	}
	return &Mailer{
		from: r.SenderEmail, username: username, password: m.SenderPwd, host: host, port: int(number), policy: m.TLSPolicy(),
		tls: config, stepTime: stepTime, mailTime: mailTime,
	}, nil
}

// A Message is one mail to one receiver.
type Message struct {
	To        string
	MessageID string // without the brackets; the same for each try
	Date      time.Time
	Subject   string
	Text      string
	HTML      string // empty: only text
}

// Send sends a message to the mail server and returns the server's last response. An error means that the server did not
// confirm the message; the server may have it anyway. Each protocol line is passed to steps, if steps is not nil.
func (m *Mailer) Send(ctx context.Context, l Message, steps func(string)) (response string, err error) {
	message, err := m.message(l)
	if err != nil {
		return "", err
	}
	client, err := m.client(steps)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, m.mailTime)
	defer cancel()
	connection, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return "", fmt.Errorf("connect to mail server %s:%d: %w", m.host, m.port, err)
	}
	// The library obeys a context only until the login. Closing the connection stops a send when the worker is stopped.
	defer context.AfterFunc(ctx, func() { _ = connection.Close() })()
	err = client.SendWithSMTPClient(connection, message)
	if message.IsDelivered() { // also if QUIT fails
		_ = client.CloseWithSMTPClient(connection)
		return view.Short(visible.Text(message.ServerResponse()), longestResponse), nil
	}
	_ = connection.Close() // the send failed already
	return "", fmt.Errorf("send mail to %s: %w", l.To, errors.Join(err, ctx.Err()))
}

// longestResponse is how many characters of a server's response are kept.
const longestResponse = 500

func (m *Mailer) message(l Message) (*mail.Msg, error) {
	message := mail.NewMsg()
	for _, part := range []func() error{
		func() error { return checkAddress(l.To) },
		func() error { return message.From(m.from) },
		func() error { return message.To(l.To) },
	} {
		if err := part(); err != nil {
			return nil, fmt.Errorf("write mail to %.80q: %w", l.To, err)
		}
	}
	message.Subject(visible.Text(l.Subject))
	message.SetMessageIDWithValue(l.MessageID)
	message.SetDateWithValue(l.Date)
	message.SetGenHeader("Auto-Submitted", "auto-generated") // suppresses out-of-office replies
	message.SetBodyString(mail.TypeTextPlain, l.Text)
	if l.HTML != "" {
		message.AddAlternativeString(mail.TypeTextHTML, l.HTML)
	}
	return message, nil
}

func (m *Mailer) client(steps func(string)) (*mail.Client, error) {
	options := []mail.Option{mail.WithPort(m.port), mail.WithTimeout(m.stepTime), mail.WithTLSConfig(m.tls.Clone())}
	switch m.policy {
	case tlsNone:
		options = append(options, mail.WithTLSPolicy(mail.NoTLS))
	case tlsOpportunistic:
		options = append(options, mail.WithTLSPolicy(mail.TLSOpportunistic))
	case tlsImplicit:
		options = append(options, mail.WithSSL())
	default:
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
	}
	if m.password != "" {
		options = append(options, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(m.username), mail.WithPassword(m.password))
	}
	if steps != nil {
		options = append(options, mail.WithDebugLog(), mail.WithLogger(listener(steps)))
	}
	client, err := mail.NewClient(m.host, options...)
	if err != nil {
		return nil, fmt.Errorf("prepare for mail server %s:%d: %w", m.host, m.port, err)
	}
	return client, nil
}

// listener passes on each line of the conversation; the library leaves out the credentials.
type listener func(string)

func (l listener) Debugf(line log.Log) {
	who := "server: "
	if line.Direction == log.DirClientToServer {
		who = "we:     "
	}
	l(who + fmt.Sprintf(line.Format, line.Messages...))
}

func (l listener) Infof(line log.Log)  { l.Debugf(line) }
func (l listener) Warnf(line log.Log)  { l.Debugf(line) }
func (l listener) Errorf(line log.Log) { l.Debugf(line) }
