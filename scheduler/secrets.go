package scheduler

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rs/zerolog"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/internal/telemetry"
)

// The limits of what one reconcile run asks Barbican: lists of projects, and secrets
// that the lists lack. The rest is checked in a later run.
const (
	secretProjectsPerRun = 100
	secretsPerRun        = 200
)

// heldSecrets are the secrets of the encrypted backups with a record, also imported ones, that a reconcile run saw: by
// project and secret ID, the ID of the backup.
type heldSecrets map[string]map[string]string

func (h heldSecrets) add(one backup.Backup) {
	if one.SecretID == "" || one.Status != backup.StatusAvailable {
		return
	}
	if h[one.ProjectID] == nil {
		h[one.ProjectID] = map[string]string{}
	}
	h[one.ProjectID][one.SecretID] = one.ID
}

// missingSecrets records which restore points have lost their secrets, so that they
// can't be restored, and returns the findings. Barbican's lists only raise a
// suspicion; an absence is recorded after its own 404 by ID, even if the operator
// confirmed the losses.
func (s *Scheduler) missingSecrets(ctx context.Context, b *db.Run, held heldSecrets, confirmed bool) ([]backup.Finding, error) {
	recorded, err := b.SecretsGone(ctx)
	if err != nil {
		return nil, err
	}
	known := map[string]bool{}
	for _, id := range recorded {
		known[id] = true
	}
	responses := s.findSecrets(ctx, held, known, confirmed)
	there := slices.DeleteFunc(responses.there, func(id string) bool { return !known[id] })
	gone := slices.DeleteFunc(responses.gone, func(id string) bool { return known[id] })
	names, err := b.ProjectsNamed(ctx, slices.Sorted(maps.Keys(responses.lacking)))
	if err != nil {
		return nil, err
	}
	unconfirmed := s.unconfirmedSecrets(responses, names, len(gone))
	if unconfirmed != nil && !confirmed {
		gone = nil
	}
	if err := b.RecordSecrets(ctx, gone, there); err != nil {
		return nil, err
	}
	found, err := b.WithoutSecret(ctx)
	if unconfirmed != nil && !confirmed {
		found = append(found, *unconfirmed)
	}
	return found, err
}

// secretResponses is what Barbican returned about the backups of the projects whose
// lists were read.
type secretResponses struct {
	asked, seen int
	there, gone []string
	lacking     map[string]int // by project: new suspects that were not found by ID either
}

// findSecrets reads the lists of the projects, the least recently asked first, and
// then, by ID, the secrets that the lists lack, the least recently asked first and among
// those the ones not known to be gone. If the operator confirmed the losses, it reads all.
func (s *Scheduler) findSecrets(ctx context.Context, held heldSecrets, known map[string]bool, confirmed bool) secretResponses {
	unread := s.unreadSecrets(ctx, held)
	lists := map[string]map[string]bool{}
	askEach(ctx, s, slices.Sorted(maps.Keys(held)), secretProjectsPerRun, s.Cloud.Secrets, lists, map[string]bool{}, unread.failed)

	responses := secretResponses{lacking: map[string]int{}}
	projectOf := map[string]string{}
	var suspects []string
	for project, list := range lists {
		unread.read(project)
		for secret, id := range held[project] {
			responses.asked++
			if list[secret] {
				responses.there = append(responses.there, id)
				continue
			}
			projectOf[secret] = project
			suspects = append(suspects, secret)
		}
	}
	isKnown := func(secret string) int {
		if known[held[projectOf[secret]][secret]] {
			return 1
		}
		return 0
	}
	slices.SortFunc(suspects, func(a, b string) int { return cmp.Or(isKnown(a)-isKnown(b), cmp.Compare(a, b)) })
	found, gone := map[string]bool{}, map[string]bool{}
	ask := func(ctx context.Context, secret string) (bool, error) {
		return true, s.Cloud.Secret(ctx, projectOf[secret], secret)
	}
	bound := secretsPerRun
	if confirmed {
		bound = max(bound, len(suspects))
	}
	askEach(ctx, s, suspects, bound, ask, found, gone, func(secret string, err error) { unread.failed(projectOf[secret], err) })
	for _, secret := range suspects {
		project := projectOf[secret]
		id := held[project][secret]
		switch {
		case found[secret]:
			responses.there = append(responses.there, id)
			continue
		case gone[secret]:
			responses.gone = append(responses.gone, id)
		}
		if !known[id] {
			responses.lacking[project]++
		}
	}
	responses.seen = len(responses.there)
	s.secretsSeen = s.secretsSeen || responses.seen > 0
	unread.end()
	return responses
}

// unconfirmedSecrets returns why the absences are not confirmed, or nil. As long as no
// secret of ours was ever seen, Barbican may not be the key manager that Cinder uses.
// Many absences at once are plausible in one project, whose user may have deleted them,
// while other secrets exist; in several projects Barbican's database is more likely wrong.
func (s *Scheduler) unconfirmedSecrets(responses secretResponses, projects []string, gone int) *backup.Finding {
	lacking := 0
	for _, n := range responses.lacking {
		lacking += n
	}
	many := lacking > plausibleLosses && lacking*plausibleLossShare > responses.asked
	if gone == 0 || s.secretsSeen && (!many || len(responses.lacking) == 1 && responses.seen > 0) {
		return nil
	}
	names := strings.Join(projects[:min(len(projects), 3)], ", ")
	if len(projects) > 3 {
		names += ", ..."
	}
	return &backup.Finding{Reason: backup.SecretsUnconfirmed, Object: "secrets", Detail: fmt.Sprintf(
		"the secrets of %d of %d encrypted restore points, in %d projects (%s), are not in Barbican; nothing was recorded: check that it is the Barbican that Cinder uses, and its database; where they are gone for good: staffeln confirm-lost",
		lacking, responses.asked, len(projects), names)}
}

// unreadSecrets notes the projects for which Barbican returned nothing, and logs when that
// begins and ends. A project has its turn only in some reconcile runs.
type unreadSecrets struct {
	s   *Scheduler
	log *zerolog.Logger
}

const secretsUnseen = "secrets"

func (s *Scheduler) unreadSecrets(ctx context.Context, held heldSecrets) unreadSecrets {
	if s.secretsUnread == nil {
		s.secretsUnread = map[string]bool{}
	}
	maps.DeleteFunc(s.secretsUnread, func(project string, _ bool) bool { return held[project] == nil })
	return unreadSecrets{s, zerolog.Ctx(ctx)}
}

func (l unreadSecrets) read(project string) { delete(l.s.secretsUnread, project) }

func (l unreadSecrets) failed(project string, err error) {
	if backup.Means(err, backup.MeansProjectGone) {
		return // a finding of its own where it matters
	}
	l.s.secretsUnread[project] = true
	meaning := ""
	if fault, ok := errors.AsType[*backup.CloudError](err); ok {
		meaning = string(fault.Meaning)
	}
	l.s.conditions.Met(l.log, zerolog.WarnLevel, secretsUnseen, meaning).Err(err).EmbedObject(telemetry.IDs{ProjectID: project}).
		Str("detail", "give the service user a role there that may read secrets, or start Barbican; until then it is not known whether they are gone").
		Msg("secrets of encrypted backups not checked")
}

func (l unreadSecrets) end() {
	if len(l.s.secretsUnread) == 0 {
		l.s.conditions.Over(l.log, secretsUnseen).Msg("secrets of encrypted backups checked again")
	}
}
