package worker

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"

	"staffeln/db"
	"staffeln/internal/visible"
	"staffeln/view"
	"staffeln/view/report"
)

// mailsAtOnce is how many mails of one group are sent at the same time, so that a slow mail server delays few of them.
const mailsAtOnce = 4

// send sends the group's unsent notices, or its unsent reports, that are due.
func (r *Reporter) send(ctx context.Context, c *db.ReportLease, notices bool) error {
	mails, err := c.Mails(ctx, notices)
	if err != nil {
		return err
	}
	cache, faults := messageCache{lease: c, known: map[string]message{}}, make([]error, len(mails))
	var group errgroup.Group
	group.SetLimit(mailsAtOnce)
	for i, m := range mails {
		if ctx.Err() != nil {
			break // they wait in the table
		}
		group.Go(func() error { faults[i] = r.sendOne(ctx, c, &cache, m); return nil }) // an error of one mail does not stop the others
	}
	_ = group.Wait()
	return errors.Join(faults...)
}

// sendOne sends one mail and records the result. If the worker dies in between, the mail is sent again.
func (r *Reporter) sendOne(ctx context.Context, c *db.ReportLease, cache *messageCache, m db.Mail) error {
	content, err := cache.of(ctx, m)
	if err != nil {
		return err
	}
	response, failure := r.deliver(ctx, content, m)
	last, cancel := lasting(ctx)
	defer cancel()
	kind := mailKind(m)
	log := zerolog.Ctx(ctx).With().Str(kind+"_id", m.ReportID).Str("project_id", c.Group).Str("receiver", m.Receiver).Logger()
	if failure == nil {
		log.Info().Str("smtp_response", response).Msg(kind + " sent")
		return c.Sent(last, m, response)
	}
	if ctx.Err() != nil {
		return failure // the worker is being stopped; the mail server has not failed
	}
	response = view.Short(visible.Text(failure.Error()), longestResponse)
	if report.GivenUp(c.Now, m.CreatedAt) {
		log.Error().Str("smtp_response", response).Msg(kind + " given up, not delivered to this address")
		return c.GiveUp(last, m, response)
	}
	again := report.Again(c.Now, m.Attempts+1)
	level := zerolog.WarnLevel
	if m.Attempts > 0 {
		level = zerolog.DebugLevel // it was logged before, and is logged again when the mail is given up
	}
	log.WithLevel(level).Str("smtp_response", response).Time("next_attempt", again).Msg(kind + " not sent, will be tried again")
	return c.NotSent(last, m, response, again)
}

// mailKind returns whether a mail has a notice or a report.
func mailKind(m db.Mail) string {
	if m.Notice {
		return "notice"
	}
	return "report"
}

var errNoSender = errors.New("no mail is sent without SENDER_EMAIL")

// message is what is sent: a report or a notice.
type message interface {
	Subject() string
	Text() string
	HTML() (string, error)
	Event() (map[string]any, error)
}

func (r *Reporter) deliver(ctx context.Context, content message, m db.Mail) (response string, err error) {
	if m.Receiver == toLog {
		event, err := content.Event()
		switch {
		case err != nil:
			return "", err
		case m.Notice:
			zerolog.Ctx(ctx).Warn().Fields(event).Msg("notice")
		default:
			zerolog.Ctx(ctx).Info().Fields(event).Msg("report")
		}
		return "", nil
	}
	if r.Mailer == nil {
		return "", errNoSender
	}
	page, err := content.HTML()
	if err != nil {
		return "", err
	}
	return r.Mailer.Send(ctx, Message{
		To: m.Receiver, MessageID: m.MessageID, Date: m.CreatedAt, Subject: content.Subject(), Text: content.Text(), HTML: page,
	}, nil)
}

// messageCache reads each message only once.
type messageCache struct {
	lease *db.ReportLease
	mu    sync.Mutex
	known map[string]message
}

func (w *messageCache) of(ctx context.Context, m db.Mail) (message, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if one, known := w.known[m.ReportID]; known {
		return one, nil
	}
	content, err := w.lease.Content(ctx, m.ReportID)
	if err != nil {
		return nil, err
	}
	var one message
	if m.Notice {
		one, err = view.ReadNotice(content)
	} else {
		one, err = view.ReadReport(content)
	}
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", mailKind(m), m.ReportID, err)
	}
	w.known[m.ReportID] = one
	return one, nil
}
