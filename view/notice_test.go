package view

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"staffeln/backup"
	"staffeln/internal/visible"
	"staffeln/view/report"
)

var noticeKeys = backup.Keys{Backup: "__staffeln_backup", Retention: "__staffeln_retention"}

// ended returns a notice about protection that ended for every reason.
func ended(name string) Notice {
	since := noon.Add(-10 * time.Minute)
	var all []NoticeVolume
	for n, why := range []backup.Reason{backup.EndMetadata, backup.EndDetached, backup.EndServerDeleted, backup.EndVolumeDeleted, backup.EndTransferred} {
		of := volume("acme", n)
		if name != "" {
			of.VolumeName, of.ServerName = name, name
		}
		all = append(all, NoticeVolume{VolumeNames: of, Since: since, Reason: why, Points: 7 - n, RemovalAt: new(noon.AddDate(0, 0, 17-n))})
	}
	all[1].Points, all[1].RemovalAt = 0, nil
	n := NewNotice(backup.ProtectionEnded, id(9, 1), noon, noticeKeys, []NoticeProject{{ID: id(9, 1), Name: Or(name, "acme"), Volumes: all}})
	n.ID = id(7, 3)
	return n
}

// shortened returns a notice about a pending shorter retention.
func shortened(name string) Notice {
	of := volume("acme", 1)
	if name != "" {
		of.VolumeName, of.ServerName = name, name
	}
	n := NewNotice(backup.RetentionShortened, id(9, 1), noon, noticeKeys, []NoticeProject{{ID: id(9, 1), Name: Or(name, "acme"), Volumes: []NoticeVolume{{
		VolumeNames: of, Since: noon.Add(-10 * time.Minute), Points: 20, Expiring: 18, RemovalAt: new(noon.AddDate(0, 0, 7)),
		InForce: backup.Period{Days: 17}, Shorter: backup.Period{Days: 1},
	}}}})
	n.ID = id(7, 4)
	return n
}

func TestNoticeForms(t *testing.T) {
	for name, n := range map[string]Notice{"ended": ended(""), "shortened": shortened("")} {
		page, err := n.HTML()
		require.NoError(t, err)
		golden(t, name+".html", page)
		golden(t, name+".txt", n.Text())
		event, err := n.Event()
		require.NoError(t, err)
		line, err := json.Marshal(event)
		require.NoError(t, err)
		golden(t, name+".event.json", string(line)+"\n")
		text, err := n.JSON()
		require.NoError(t, err)
		again, err := ReadNotice(text)
		require.NoError(t, err)
		require.Equal(t, n, again, "what is kept is what was made")
		for line := range strings.SplitSeq(n.Text(), "\n") {
			require.LessOrEqual(t, len([]rune(line)), textWidth, line)
		}
		for _, word := range []string{"http:", "https:", "src=", "url(", "<script", "<img", "<link"} {
			require.NotContains(t, page, word)
		}
	}
	require.Equal(t, "Backups of acme: protection of 5 volumes ended", ended("").Subject())
	require.Equal(t, "Backups of acme: retention of 1 volume was shortened, 18 restore points are removed from 2026-03-09 12:00 on", shortened("").Subject())
}

func TestNoticeListsSomeVolumesAndCountsAll(t *testing.T) {
	var projects []NoticeProject
	for p := range 3 {
		project := NoticeProject{ID: id(9, p), Name: fmt.Sprint("project-", p)}
		for n := range 400 {
			project.Volumes = append(project.Volumes, NoticeVolume{VolumeNames: volume("x", n), Points: 2, RemovalAt: new(noon.AddDate(0, 0, 400-n)), Reason: backup.EndMetadata})
		}
		projects = append(projects, project)
	}
	n := NewNotice(backup.ProtectionEnded, report.All, noon, noticeKeys, projects)
	require.Equal(t, "Backups of 3 projects: protection of 1200 volumes ended", n.Subject())
	require.Equal(t, noon.AddDate(0, 0, 1), *n.first(), "also of what is not listed")
	require.Equal(t, 2400, n.points())
	require.Contains(t, n.Text(), "and 350 more volumes")
	require.Contains(t, n.Text(), "and 400 more volumes")
	require.Less(t, len(n.Text()), 20_000)
}

func TestNoticeSaysThatTheConditionIsOver(t *testing.T) {
	e, s := ended(""), shortened("")
	for _, n := range []*Notice{&e, &s} {
		p := n.Projects[0]
		for i := range p.Volumes {
			p.Volumes[i].Reverted = true
		}
		*n = NewNotice(n.Kind, n.Group, n.At, noticeKeys, []NoticeProject{p})
	}
	require.Contains(t, e.Text(), "They are protected again by now.")
	require.Contains(t, s.Text(), "It is no longer pending: it was taken back, or it is in force by now.")
	require.Equal(t, "Backups of acme: retention of 1 volume was shortened", s.Subject())
}

func TestHostileNamesAreOnlyTextInNotices(t *testing.T) {
	for _, form := range []func(string) Notice{ended, shortened} {
		page, err := form("acme").HTML()
		require.NoError(t, err)
		plain := markup(t, page)
		check := func(t failer, name string) {
			n := form(name)
			page, err := n.HTML()
			require.NoError(t, err)
			require.Equal(t, plain, markup(t, page), "the page has other markup than with a plain name")
			onlyText(t, page, n.Text(), n.Subject())
		}
		for what, name := range hostile {
			t.Run(what, func(t *testing.T) { check(t, name) })
		}
		t.Run("any", rapid.MakeCheck(func(rt *rapid.T) {
			name := rapid.String().Draw(rt, "name")
			if strings.TrimSpace(visible.Text(name)) == "" {
				name += "x"
			}
			check(rt, name)
		}))
	}
}
