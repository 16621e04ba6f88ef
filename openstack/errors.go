package openstack

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gophercloud/gophercloud/v2"

	"staffeln/backup"
)

// messageMeanings maps the messages of Cinder that decide the meaning of a refusal. Measured on Zed (Cinder 21.3.1); the
// messages are in cinder/backup/api.py and cinder/exception.py. The first entry whose text the message contains wins.
var messageMeanings = []struct {
	status  int
	text    string
	meaning backup.Meaning
}{
	{400, "No backups available to do an incremental backup", backup.MeansNoParent},
	{400, "The parent backup must be available for incremental backup", backup.MeansNoParent},
	{400, "Incremental backups exist for this backup", backup.MeansHasDependents},
	{400, "Backup status must be available or error", backup.MeansBackupState},
	{400, "must use the force flag", backup.MeansVolumeState},
	{400, "Volume to be backed up must be available or in-use", backup.MeansVolumeState},
	{400, "Invalid volume:", backup.MeansVolumeState},
	// Cinder's own rate limiter returned 413 before it returned 429.
	{413, "rate-limited", backup.MeansThrottled},
}

// failReasonMeanings maps what Cinder's scheduler writes into the fail_reason of a backup (cinder/scheduler/manager.py).
var failReasonMeanings = []struct {
	text    string
	meaning backup.Meaning
}{
	{"Service not found for creating backup", backup.MeansNoService},
}

func failMeaningOf(reason string) backup.Meaning {
	for _, p := range failReasonMeanings {
		if strings.Contains(reason, p.text) {
			return p.meaning
		}
	}
	return ""
}

// notExecuted are the status codes after which nothing was executed, although the call may work later.
var notExecuted = []int{http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotAcceptable, http.StatusGone}

// byStatus is the meaning of a status code if the message does not decide it.
var byStatus = map[int]backup.Meaning{
	http.StatusUnauthorized:          backup.MeansUnauthorised,
	http.StatusForbidden:             backup.MeansForbidden,
	http.StatusNotAcceptable:         backup.MeansUnavailable, // an API node that is older than the others; the next request may reach another one
	http.StatusGone:                  backup.MeansUnavailable, // no OpenStack service returns this for an object: the service itself has moved
	http.StatusRequestTimeout:        backup.MeansUnavailable,
	http.StatusRequestEntityTooLarge: backup.MeansQuota, // overLimit: the number of backups or their gigabytes
	http.StatusTooEarly:              backup.MeansUnavailable,
	http.StatusTooManyRequests:       backup.MeansThrottled,
	498:                              backup.MeansThrottled, // the response of rate limiters in front of Swift and Keystone
}

// meaningOf returns the meaning of a response. id is the ID of the requested object if the service itself reports that it has
// no such object, otherwise empty.
func meaningOf(status int, text, id string) backup.Meaning {
	for _, p := range messageMeanings {
		if p.status == status && strings.Contains(text, p.text) {
			return p.meaning
		}
	}
	if m, ok := byStatus[status]; ok {
		return m
	}
	switch {
	case status == http.StatusNotFound && id != "":
		return backup.MeansNotFound
	case status == http.StatusNotFound, status >= 500, status < 400:
		return backup.MeansUnavailable
	}
	return backup.MeansRefused
}

// faultOf converts an error of gophercloud into a CloudError.
func (r request) faultOf(project string, err error, now time.Time) *backup.CloudError {
	fault := &backup.CloudError{Op: r.op, Object: r.object, ProjectID: project, Meaning: backup.MeansUnavailable, Err: err}

	// A 401 made gophercloud renew the token, and the renewal failed. The request itself was refused in any case.
	var renewal *gophercloud.ErrUnableToReauthenticate
	refused := errors.As(err, &renewal)
	if refused {
		err = renewal.ErrReauth
		fault.Err = &renewalError{err}
	}

	var code gophercloud.ErrUnexpectedResponseCode
	var wire *wireError
	var closed *backup.CloudError
	switch {
	case errors.As(err, &closed): // the error of the gate
		fault.Meaning, fault.Message = closed.Meaning, closed.Message
	case errors.As(err, &code):
		fault.Status = code.Actual
		fault.Message = messageOf(code.Body)
		fault.RequestID = code.ResponseHeader.Get(headerRequestID)
		fault.RetryAfter = retryAfter(code.ResponseHeader, now)
		id := r.id
		if !r.service.confirmsMissing(code.Actual, code.Body, id) {
			id = ""
		}
		fault.Meaning = meaningOf(code.Actual, fault.Message, id)
		if code.Actual == http.StatusMethodNotAllowed && foreignResponse(code) {
			fault.Meaning = backup.MeansUnavailable // a web server has replaced the service
		}
		// A refusal is clear. After a 5xx, a timeout or a redirect the outcome is unknown.
		fault.Unknown = fault.Meaning == backup.MeansUnavailable && !slices.Contains(notExecuted, code.Actual)
	case errors.As(err, &wire):
		fault.RequestID = wire.requestID
		fault.Unknown = !wire.unsent
	}
	// Otherwise no request was sent: ctx ended during a renewal.
	if refused || r.reads() {
		fault.Unknown = false
	}
	return fault
}

// A renewalError is a failed renewal of a token. (gophercloud's own error does not unwrap.)
type renewalError struct{ err error }

func (e *renewalError) Error() string { return "renew token: " + e.err.Error() }
func (e *renewalError) Unwrap() error { return e.err }

// garbled returns the error for a response with a good status that can't be decoded.
func (r request) garbled(project string, resp *http.Response, err error) *backup.CloudError {
	return &backup.CloudError{
		Op: r.op, Object: r.object, ProjectID: project, Meaning: backup.MeansUnavailable, Status: resp.StatusCode,
		RequestID: resp.Header.Get(headerRequestID), Err: err, Unknown: !r.reads(),
	}
}

// refuse returns the error for a request that we do not send.
func (r request) refuse(project string, m backup.Meaning, why string) *backup.CloudError {
	return &backup.CloudError{Op: r.op, Object: r.object, ProjectID: project, Meaning: m, Message: why}
}

func (r request) reads() bool {
	return r.method == http.MethodGet || r.method == http.MethodHead || r.idempotent
}

const maxMessage = 500

// messageOf returns the message of an error's body. OpenStack services return
// `{"<name of the fault>": {"code": ..., "message": "..."}}`. Any other text comes from a proxy or load balancer.
func messageOf(body []byte) string {
	var envelope map[string]json.RawMessage
	if json.Unmarshal(body, &envelope) == nil {
		for _, inner := range envelope {
			var fault struct {
				Message string `json:"message"`
			}
			if json.Unmarshal(inner, &fault) == nil && fault.Message != "" {
				return cut(fault.Message)
			}
		}
	}
	return cut(strings.Join(strings.Fields(string(body)), " "))
}

func cut(s string) string {
	s = strings.ToValidUTF8(s, "?")
	if r := []rune(s); len(r) > maxMessage {
		return string(r[:maxMessage])
	}
	return s
}

// retryAfter reads the Retry-After header: seconds or a date. The date is compared with the response's own Date header, so
// a wrong clock does not matter. The result is at most an hour.
func retryAfter(h http.Header, now time.Time) time.Duration {
	v := strings.TrimSpace(h.Get("Retry-After"))
	if seconds, err := strconv.ParseUint(v, 10, 32); err == nil {
		return min(time.Duration(seconds)*time.Second, backup.MaxAskedWait)
	}
	at, err := http.ParseTime(v)
	if err != nil {
		return 0
	}
	if sent, err := http.ParseTime(h.Get("Date")); err == nil {
		now = sent
	}
	return min(max(at.Sub(now), 0), backup.MaxAskedWait)
}
