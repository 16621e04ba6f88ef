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

// prose is what Cinder says, as far as it decides. Measured on Zed (Cinder
// 21.3.1); the sentences are in cinder/backup/api.py and cinder/exception.py.
// The first that is contained in the words of a refusal wins.
var prose = []struct {
	status  int
	words   string
	meaning backup.Meaning
}{
	{400, "No backups available to do an incremental backup", backup.MeansNoParent},
	{400, "The parent backup must be available for incremental backup", backup.MeansNoParent},
	{400, "Incremental backups exist for this backup", backup.MeansHasDependents},
	{400, "Backup status must be available or error", backup.MeansBackupState},
	{400, "must use the force flag", backup.MeansVolumeState},
	{400, "Volume to be backed up must be available or in-use", backup.MeansVolumeState},
	{400, "Invalid volume:", backup.MeansVolumeState},
	// Cinder's own rate limiter said 413 before it said 429.
	{413, "rate-limited", backup.MeansThrottled},
}

// failProse is what Cinder's scheduler writes into the fail_reason of a backup (cinder/scheduler/manager.py), as far as
// it decides.
var failProse = []struct {
	words   string
	meaning backup.Meaning
}{
	{"Service not found for creating backup", backup.MeansNoService},
}

func failMeaningOf(reason string) backup.Meaning {
	for _, p := range failProse {
		if strings.Contains(reason, p.words) {
			return p.meaning
		}
	}
	return ""
}

// notDone are the codes after which nothing was done, though the call may work later.
var notDone = []int{http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotAcceptable, http.StatusGone}

// byStatus is the meaning of a code whose words decide nothing.
var byStatus = map[int]backup.Meaning{
	http.StatusUnauthorized:          backup.MeansUnauthorised,
	http.StatusForbidden:             backup.MeansForbidden,
	http.StatusNotAcceptable:         backup.MeansUnavailable, // an API node that is older than the others: the next one may answer
	http.StatusGone:                  backup.MeansUnavailable, // no OpenStack service says so of an object: the service itself went elsewhere
	http.StatusRequestTimeout:        backup.MeansUnavailable,
	http.StatusRequestEntityTooLarge: backup.MeansQuota, // overLimit: number or gigabytes
	http.StatusTooEarly:              backup.MeansUnavailable,
	http.StatusTooManyRequests:       backup.MeansThrottled,
	498:                              backup.MeansThrottled, // what rate limiters in front of Swift and Keystone answer
}

// meaningOf says what an answer means. id is what was asked for, where the
// service's own words say that it lacks that.
func meaningOf(status int, words, id string) backup.Meaning {
	for _, p := range prose {
		if p.status == status && strings.Contains(words, p.words) {
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

// faultOf turns what gophercloud returned into a CloudError.
func (r request) faultOf(project string, err error, now time.Time) *backup.CloudError {
	fault := &backup.CloudError{Op: r.op, Object: r.object, ProjectID: project, Meaning: backup.MeansUnavailable, Err: err}

	// A 401 made gophercloud renew the token, and that failed: the request
	// itself was refused, whatever became of the renewal.
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
	case errors.As(err, &closed): // the gate's
		fault.Meaning, fault.Message = closed.Meaning, closed.Message
	case errors.As(err, &code):
		fault.Status = code.Actual
		fault.Message = wordsOf(code.Body)
		fault.RequestID = code.ResponseHeader.Get(headerRequestID)
		fault.RetryAfter = retryAfter(code.ResponseHeader, now)
		id := r.id
		if !r.service.lacks(code.Actual, code.Body, id) {
			id = ""
		}
		fault.Meaning = meaningOf(code.Actual, fault.Message, id)
		if code.Actual == http.StatusMethodNotAllowed && strangers(code) {
			fault.Meaning = backup.MeansUnavailable // a web server where the service was
		}
		// A refusal is clear; a 5xx, a timeout or a redirect is not.
		fault.Unknown = fault.Meaning == backup.MeansUnavailable && !slices.Contains(notDone, code.Actual)
	case errors.As(err, &wire):
		fault.RequestID = wire.requestID
		fault.Unknown = !wire.unsent
	}
	// Else it never came to a request: ctx ended while a renewal was waited for.
	if refused || r.reads() {
		fault.Unknown = false
	}
	return fault
}

// A renewalError is a new token that was not to be had. (gophercloud's own error
// does not unwrap.)
type renewalError struct{ err error }

func (e *renewalError) Error() string { return "renew token: " + e.err.Error() }
func (e *renewalError) Unwrap() error { return e.err }

// garbled is an answer with a good status that can't be understood.
func (r request) garbled(project string, resp *http.Response, err error) *backup.CloudError {
	return &backup.CloudError{
		Op: r.op, Object: r.object, ProjectID: project, Meaning: backup.MeansUnavailable, Status: resp.StatusCode,
		RequestID: resp.Header.Get(headerRequestID), Err: err, Unknown: !r.reads(),
	}
}

// refuse is our own refusal: nothing was sent.
func (r request) refuse(project string, m backup.Meaning, why string) *backup.CloudError {
	return &backup.CloudError{Op: r.op, Object: r.object, ProjectID: project, Meaning: m, Message: why}
}

func (r request) reads() bool {
	return r.method == http.MethodGet || r.method == http.MethodHead || r.idempotent
}

const longestMessage = 500

// wordsOf returns the message in the envelope of an error: OpenStack's services
// answer `{"<name of the fault>": {"code": ..., "message": "..."}}`. Other text
// comes from what stands in front of them.
func wordsOf(body []byte) string {
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
	if r := []rune(s); len(r) > longestMessage {
		return string(r[:longestMessage])
	}
	return s
}

// retryAfter reads the header of that name: seconds, or a date that counts from
// the answer's own, so that a clock that is off changes nothing. It is an hour at
// most, whatever the cloud asks for.
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
