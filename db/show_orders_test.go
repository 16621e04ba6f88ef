package db

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A walk by pages, forth and back, shows each row exactly once and in the order of the whole list: for each order, with many
// equal values, and with a volume that has no restore point.
func TestPagesOfEachOrderShowEachRowOnce(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	for i := range 17 {
		id := fmt.Sprintf("v%02d", i)
		h.volume(id, row{"name": []string{"disk", "Disk_1", "100%"}[i%3], "project_name": []string{"one", "two"}[i%2], "project_id": []string{"p", "q"}[i%2], "server_name": []string{"", "web"}[i/3%2], "size_gib": 10 * (i % 4)})
		for n := range i % 3 {
			h.record(id+"-"+fmt.Sprint(n), point("b-"+id+"-"+fmt.Sprint(n), time.Duration(i/4+n)*hour).with(row{"volume_id": id, "volume_name": []string{"disk", "Disk_1", "100%"}[i%3], "project_id": []string{"p", "q"}[i%2]}))
		}
	}
	h.inSnapshot(func(l *Snapshot) {
		for _, sort := range []VolumeSort{ByProject, ByName, ByServer, BySize, ByAge} {
			for _, descending := range []bool{false, true} {
				list := func(f ProtectionFilter) []VolumeProtection {
					f.Sort, f.Descending = sort, descending
					page, err := l.ProtectionPage(h.ctx, rpo(hour), f)
					require.NoError(t, err)
					return page
				}
				whole, forth, back := list(ProtectionFilter{}), []VolumeProtection{}, []VolumeProtection{}
				require.Len(t, whole, 17)
				for page := list(ProtectionFilter{Limit: 3}); len(page) > 0; page = list(ProtectionFilter{Limit: 3, After: cursorTo(page[len(page)-1])}) {
					forth = append(forth, page...)
				}
				require.Equal(t, whole, forth, "%q, descending: %t", sort, descending)
				for page := whole[16:]; len(page) > 0; page = list(ProtectionFilter{Limit: 3, Before: cursorTo(page[0])}) {
					back = slices.Concat(page, back)
				}
				require.Equal(t, whole, back, "%q, descending: %t", sort, descending)
			}
		}
		for _, byVolume := range []bool{false, true} {
			for _, up := range []bool{false, true} {
				list := func(f Filter) []string {
					f.ByVolume, f.OldestFirst = byVolume, up
					page, err := l.Backups(h.ctx, f)
					require.NoError(t, err)
					all := []string{}
					for _, r := range page {
						all = append(all, r.ID)
					}
					return all
				}
				whole, forth, back := list(Filter{}), []string{}, []string{}
				require.Len(t, whole, 16)
				for page := list(Filter{Limit: 3}); len(page) > 0; {
					forth = append(forth, page...)
					page = list(Filter{Limit: 3, After: new(CursorOf(h.read(page[len(page)-1])))})
				}
				require.Equal(t, whole, forth)
				for page := whole[15:]; len(page) > 0; {
					back = slices.Concat(page, back)
					page = list(Filter{Limit: 3, Before: new(CursorOf(h.read(page[0])))})
				}
				require.Equal(t, whole, back)
			}
		}
		for search, want := range map[string]int{"DISK": 12, "_": 6, "%": 5, "\\": 0, "v1": 7, "one": 9, "web": 8, "' OR true": 0} {
			page, err := l.ProtectionPage(h.ctx, rpo(hour), ProtectionFilter{Search: search})
			require.NoError(t, err)
			require.Len(t, page, want, search)
			for _, f := range []Filter{{Search: search}, {Search: search, Only: "p"}} {
				_, err = l.Backups(h.ctx, f)
				require.NoError(t, err)
			}
		}
		found, err := l.Backups(h.ctx, Filter{Search: "B-V08-1"})
		require.NoError(t, err)
		require.Len(t, found, 1)
		found, err = l.Backups(h.ctx, Filter{Search: "b-v08-1", Only: "q"})
		require.NoError(t, err)
		require.Empty(t, found, "it is another project's")
	})
}
