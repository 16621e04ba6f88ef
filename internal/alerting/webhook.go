package alerting

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"staffeln/db"
	"staffeln/view"
)

// mostFindings is how many findings one message has at most. More follow in the next.
const mostFindings = 100

// Message is the body of a request to the webhook.
type Message struct {
	Type         string    `json:"type"` // findings
	Installation string    `json:"installation"`
	Timestamp    time.Time `json:"timestamp"`
	Data         struct {
		Ended []json.RawMessage `json:"ended"` // as they were when they were new
		New   []view.Finding    `json:"new"`
	} `json:"data"`
}

// post sends what the receiver does not know yet, and records that it knows it when it has accepted it. A message that it
// accepted without our noticing comes again, with the same ID.
func (a *Alerting) post(ctx context.Context, b *db.Run) error {
	for {
		changes, err := a.DB.FindingChanges(ctx, mostFindings)
		if err != nil || len(changes.New) == 0 && len(changes.Ended) == 0 {
			return err
		}
		if err := a.send(ctx, b, changes); err != nil {
			return err
		}
	}
}

func (a *Alerting) send(ctx context.Context, b *db.Run, changes db.FindingChanges) error {
	m := Message{Type: "findings", Installation: a.Installation, Timestamp: b.Now}
	m.Data.Ended, m.Data.New = []json.RawMessage{}, []view.Finding{}
	id := sha256.New()
	for _, f := range changes.Ended {
		m.Data.Ended = append(m.Data.Ended, f.Content)
		_, _ = fmt.Fprintf(id, "ended %q %q %q %d\n", f.Reason, f.Object, f.ProjectID, f.Since.UnixMicro()) // a hash takes all
	}
	contents := make([]json.RawMessage, len(changes.New))
	for i, f := range changes.New {
		shown := view.FindingOf(f)
		m.Data.New = append(m.Data.New, shown)
		_, _ = fmt.Fprintf(id, "new %q %q %q %d\n", f.Reason, f.Object, f.ProjectID, f.Since.UnixMicro()) // as above
		text, err := json.Marshal(shown)
		if err != nil {
			return fmt.Errorf("encode finding %s: %w", f.Reason, err)
		}
		contents[i] = text
	}
	body, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encode findings: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.Receivers.WebhookURL, bytes.NewReader(body))
	if err != nil {
		return err
	}
	if err := a.sign(req, "msg_"+hex.EncodeToString(id.Sum(nil)[:16]), b.Now, body); err != nil {
		return err
	}
	if err := a.request("webhook", "STAFFELN_WEBHOOK_URL", req); err != nil {
		return err
	}
	return b.FindingsReported(ctx, changes, contents)
}

// sign adds the headers of the Standard Webhooks scheme (https://www.standardwebhooks.com, symmetric, v1).
func (a *Alerting) sign(req *http.Request, id string, at time.Time, body []byte) error {
	key, err := a.Receivers.key()
	if err != nil {
		return err
	}
	timestamp := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, key)
	_, _ = mac.Write([]byte(id + "." + timestamp + "." + string(body))) // a hash takes all
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Webhook-Id", id)
	req.Header.Set("Webhook-Timestamp", timestamp)
	req.Header.Set("Webhook-Signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	return nil
}
