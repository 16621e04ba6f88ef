// Package alerting informs systems outside Staffeln, beside the loops of the leading scheduler: it requests the heartbeat of a
// dead man's switch while the scheduler's work is in time, and posts each finding that is new or has ended to a webhook.
package alerting

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// Receivers are URLs and a key. Without a URL nothing is sent to it.
type Receivers struct {
	HeartbeatURL  string `split_words:"true" secret:"true" desc:"URL of a dead man's switch. The leading scheduler requests it (GET) each minute while its plans and dispatch runs are in time and a worker takes tasks, and so not when anything prevents backups. The switch should alert after five minutes without a request. Empty: none."`
	WebhookURL    string `split_words:"true" secret:"true" desc:"URL to which the leading scheduler posts each new and each ended finding, as JSON (docs/operations.md). A request without a response of 2xx is repeated, after growing pauses of up to 15 minutes. Empty: none."`
	WebhookSecret string `split_words:"true" secret:"true" desc:"Key that signs what is posted, by the Standard Webhooks scheme: whsec_ followed by 24 to 64 bytes in base64. WEBHOOK_URL requires it."`
}

const secretPrefix = "whsec_"

// Validate returns all errors at once.
func (c Receivers) Validate() error {
	var faults []error
	for name, value := range map[string]string{"HEARTBEAT_URL": c.HeartbeatURL, "WEBHOOK_URL": c.WebhookURL} {
		if value == "" {
			continue
		}
		if u, err := url.Parse(value); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			faults = append(faults, fmt.Errorf("%s: want http:// or https:// and a host", name)) // the value is a secret
		}
	}
	if _, err := c.key(); err != nil && (c.WebhookURL != "" || c.WebhookSecret != "") {
		faults = append(faults, err)
	}
	return errors.Join(faults...)
}

func (c Receivers) key() ([]byte, error) {
	encoded, ok := strings.CutPrefix(c.WebhookSecret, secretPrefix)
	key, err := base64.StdEncoding.DecodeString(encoded)
	if !ok || err != nil || len(key) < 24 || len(key) > 64 {
		return nil, fmt.Errorf("WEBHOOK_SECRET: want %s and 24 to 64 bytes in base64, such as the output of: echo %s$(openssl rand -base64 32)", secretPrefix, secretPrefix)
	}
	return key, nil
}
