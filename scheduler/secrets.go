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
)

// The limits of what one reconcile run asks Barbican: lists of projects, and secrets
// that the lists lack. The rest is checked in a later run.
const (
	secretProjectsPerRun = 100
	secretsPerRun        = 200
)

// heldSecrets are the secrets of our encrypted restore points that a reconcile run saw:
// by project and secret ID, the ID of the backup.
type heldSecrets map[string]map[string]string

func (s *Scheduler) holdSecrets(held heldSecrets, page []backup.Backup) {
	for _, one := range page {
		if one.SecretID == "" || one.Status != backup.StatusAvailable || !s.Identity.Made(one) {
			continue
		}
		if held[one.ProjectID] == nil {
			held[one.ProjectID] = map[string]string{}
		}
		held[one.ProjectID][one.SecretID] = one.ID
	}
}

// missingSecrets records which restore points have lost their secrets, so that they
// can't be restored, and returns the findings. Barbican's lists only raise a
// suspicion; an absence is recorded after its own 404 by ID, even if the operator
// confirmed the losses.
func (s *Scheduler) missingSecrets(ctx context.Context, b *db.Run, held heldSecrets, accepted bool) ([]backup.Finding, error) {
	recorded, err := b.SecretsGone(ctx)
	if err != nil {
		return nil, err
	}
	known := map[string]bool{}
	for _, id := range recorded {
		known[id] = true
	}
	look := s.lookForSecrets(ctx, held, known, accepted)
	there := slices.DeleteFunc(look.there, func(id string) bool { return !known[id] })
	gone := slices.DeleteFunc(look.gone, func(id string) bool { return known[id] })
	unconfirmed := s.unconfirmedSecrets(look, len(gone))
	if unconfirmed != nil && !accepted {
		gone = nil
	}
	if err := b.RecordSecrets(ctx, gone, there); err != nil {
		return nil, err
	}
	found, err := b.WithoutSecret(ctx)
	if unconfirmed != nil && !accepted {
		found = append(found, *unconfirmed)
	}
	return found, err
}

// secretAnswers is what Barbican returned about the backups of the projects whose
// lists were read.
type secretAnswers struct {
	asked, seen int
	there, gone []string
	lacking     map[string]int // by project: new suspects that were not found by ID either
}

// lookForSecrets reads the lists of the projects, the least recently asked first, and
// then, by ID, the secrets that the lists lack, the least recently asked first and among
// those the ones not known to be gone. If the operator confirmed the losses, it reads all.
func (s *Scheduler) lookForSecrets(ctx context.Context, held heldSecrets, known map[string]bool, accepted bool) secretAnswers {
	blind := s.blindness(ctx, held)
	lists := map[string]map[string]bool{}
	askEach(ctx, s, slices.Sorted(maps.Keys(held)), secretProjectsPerRun, s.Cloud.Secrets, lists, map[string]bool{}, blind.failed)

	look := secretAnswers{lacking: map[string]int{}}
	projectOf := map[string]string{}
	var suspects []string
	for project, list := range lists {
		blind.sees(project)
		for secret, id := range held[project] {
			look.asked++
			if list[secret] {
				look.there = append(look.there, id)
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
	if accepted {
		bound = max(bound, len(suspects))
	}
	askEach(ctx, s, suspects, bound, ask, found, gone, func(secret string, err error) { blind.failed(projectOf[secret], err) })
	for _, secret := range suspects {
		project := projectOf[secret]
		id := held[project][secret]
		switch {
		case found[secret]:
			look.there = append(look.there, id)
			continue
		case gone[secret]:
			look.gone = append(look.gone, id)
		}
		if !known[id] {
			look.lacking[project]++
		}
	}
	look.seen = len(look.there)
	s.secretsSeen = s.secretsSeen || look.seen > 0
	blind.end()
	return look
}

// unconfirmedSecrets returns why the absences are not confirmed, or nil. As long as no
// secret of ours was ever seen, Barbican may not be the key manager that Cinder uses.
// Many absences at once are plausible in one project, whose user may have deleted them,
// while other secrets exist; in several projects Barbican's database is more likely wrong.
func (s *Scheduler) unconfirmedSecrets(look secretAnswers, gone int) *backup.Finding {
	lacking := 0
	for _, n := range look.lacking {
		lacking += n
	}
	many := lacking > believableLosses && lacking*believableShare > look.asked
	if gone == 0 || s.secretsSeen && (!many || len(look.lacking) == 1 && look.seen > 0) {
		return nil
	}
	projects := slices.Sorted(maps.Keys(look.lacking))
	names := strings.Join(projects[:min(len(projects), 3)], ", ")
	if len(projects) > 3 {
		names += ", ..."
	}
	return &backup.Finding{Reason: backup.SecretsNotBelieved, Object: "secrets", Detail: fmt.Sprintf(
		"the secrets of %d of %d encrypted restore points, in %d projects (%s), are not in Barbican; nothing was recorded: check that it is the Barbican that Cinder uses, and its database; where they are gone for good: staffeln confirm-lost",
		lacking, look.asked, len(projects), names)}
}

// blindness notes the projects for which Barbican returned nothing, and logs when that
// begins and ends. A project has its turn only in some reconcile runs.
type blindness struct {
	s   *Scheduler
	log *zerolog.Logger
}

const secretsUnseen = "secrets"

func (s *Scheduler) blindness(ctx context.Context, held heldSecrets) blindness {
	if s.secretsBlind == nil {
		s.secretsBlind = map[string]bool{}
	}
	maps.DeleteFunc(s.secretsBlind, func(project string, _ bool) bool { return held[project] == nil })
	return blindness{s, zerolog.Ctx(ctx)}
}

func (l blindness) sees(project string) { delete(l.s.secretsBlind, project) }

func (l blindness) failed(project string, err error) {
	if backup.Means(err, backup.MeansProjectGone) {
		return // a finding of its own where it matters
	}
	l.s.secretsBlind[project] = true
	meaning := ""
	if fault, ok := errors.AsType[*backup.CloudError](err); ok {
		meaning = string(fault.Meaning)
	}
	l.s.conditions.Met(l.log, zerolog.WarnLevel, secretsUnseen, meaning).Err(err).Str("project_id", project).
		Str("detail", "give the service user a role there that may read secrets, or start Barbican; until then nobody sees whether they are gone").
		Msg("secrets of encrypted backups not looked at")
}

func (l blindness) end() {
	if len(l.s.secretsBlind) == 0 {
		l.s.conditions.Over(l.log, secretsUnseen).Msg("secrets of encrypted backups checked again")
	}
}
