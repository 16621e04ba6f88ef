// Package mailbox is an SMTP server for tests, in the process of the test. It has STARTTLS, TLS and AUTH, and can refuse,
// stall, and drop the connection after it accepted a mail.
package mailbox

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/require"
)

// Options are the options of a server.
type Options struct {
	TLS      bool // offer STARTTLS
	Implicit bool // TLS from the first byte
	User     string
	Password string // empty: no login required
}

// A Mail is a mail that the server accepted.
type Mail struct {
	From, To string // of the envelope
	Header   mail.Header
	Raw      string
	Body     string // as received
	User     string // the authenticated user
	Secure   bool
}

// Server is a mail server. Its faults may be changed at any time.
type Server struct {
	Address string // host:port
	CAFile  string // CA of its certificate

	mu      sync.Mutex
	inbox   []Mail
	refuse  map[string]bool // recipients that get a 550
	stall   map[string]bool // recipients that get no response
	die     int             // number of mails to accept without a response, closing the connection
	mute    int             // the same, but the connections remain open
	down    bool
	release chan struct{}
}

// Start starts a server that ends with the test.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	s := &Server{refuse: map[string]bool{}, stall: map[string]bool{}, release: make(chan struct{})}
	server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.down {
			return nil, &smtp.SMTPError{Code: 421, Message: "closed for today"}
		}
		return &session{server: s, options: o, conn: c}, nil
	}))
	server.AllowInsecureAuth = !o.TLS && !o.Implicit
	server.ErrorLog = noLog{}
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s.Address = listener.Addr().String()
	if o.TLS || o.Implicit {
		server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{s.certificate(t)}, MinVersion: tls.VersionTLS12}
	}
	if o.Implicit {
		listener = tls.NewListener(listener, server.TLSConfig)
	}
	ended := make(chan struct{})
	go func() { _ = server.Serve(listener); close(ended) }()
	t.Cleanup(func() {
		close(s.release)
		_ = server.Close()
		<-ended
	})
	return s
}

type noLog struct{}

func (noLog) Printf(string, ...any) {}
func (noLog) Println(...any)        {}

// Inbox returns the mails received so far.
func (s *Server) Inbox() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Mail(nil), s.inbox...)
}

// To returns the mails for one recipient.
func (s *Server) To(receiver string) []Mail {
	var all []Mail
	for _, m := range s.Inbox() {
		if m.To == receiver {
			all = append(all, m)
		}
	}
	return all
}

// Refuse sets whether a recipient is refused.
func (s *Server) Refuse(receiver string, refused bool) {
	s.set(func() { s.refuse[receiver] = refused })
}

// Stall sets whether the server stops responding at a recipient.
func (s *Server) Stall(receiver string, stalled bool) { s.set(func() { s.stall[receiver] = stalled }) }

// DieAfterData makes the server accept the next mails and close their connections without a response.
func (s *Server) DieAfterData(mails int) { s.set(func() { s.die = mails }) }

// MuteAfterData makes the server accept the next mails and send nothing more on their connections.
func (s *Server) MuteAfterData(mails int) { s.set(func() { s.mute = mails }) }

// Down sets whether the server rejects all connections.
func (s *Server) Down(down bool) { s.set(func() { s.down = down }) }

func (s *Server) set(change func()) { s.mu.Lock(); defer s.mu.Unlock(); change() }

// certificate creates a self-signed certificate for the loopback address.
func (s *Server) certificate(t testing.TB) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mail server of a test"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	s.CAFile = filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(s.CAFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// session is one connection.
type session struct {
	server   *Server
	options  Options
	conn     *smtp.Conn
	user     string
	from, to string
}

func (s *session) AuthMechanisms() []string {
	if s.options.Password == "" {
		return nil
	}
	return []string{sasl.Plain}
}

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != s.options.User || password != s.options.Password {
			return &smtp.SMTPError{Code: 535, EnhancedCode: smtp.EnhancedCode{5, 7, 8}, Message: "Username and password not accepted"}
		}
		s.user = user
		return nil
	}), nil
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if s.options.Password != "" && s.user == "" {
		return smtp.ErrAuthRequired
	}
	s.from = from
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.server.mu.Lock()
	refused, stalled := s.server.refuse[to], s.server.stall[to]
	s.server.mu.Unlock()
	if stalled {
		<-s.server.release
		return errors.New("the test is over")
	}
	if refused {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user here"}
	}
	s.to = to
	return nil
}

func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	m := Mail{From: s.from, To: s.to, Raw: string(raw), User: s.user}
	_, m.Secure = s.conn.TLSConnectionState()
	parsed, err := mail.ReadMessage(strings.NewReader(m.Raw))
	if err != nil {
		return &smtp.SMTPError{Code: 554, Message: "not a mail: " + err.Error()}
	}
	body, err := io.ReadAll(parsed.Body)
	if err != nil {
		return err
	}
	m.Header, m.Body = parsed.Header, string(body)
	mute := false
	s.server.set(func() {
		s.server.inbox = append(s.server.inbox, m)
		if s.server.die > 0 {
			s.server.die--
			_ = s.conn.Conn().Close() // the mail is accepted, but the client does not learn it
		}
		mute = s.server.mute > 0
		s.server.mute = max(s.server.mute-1, 0)
	})
	if mute {
		<-s.server.release
	}
	return nil
}

func (s *session) Reset()        { s.from, s.to = "", "" }
func (s *session) Logout() error { return nil }
