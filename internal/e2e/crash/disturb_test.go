package crash

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"staffeln/internal/cloudsim"
)

// disturb changes the cloud while the processes run, before the given step of the clocks.
func (r *crashRun) disturb(step int) {
	s := r.scenario
	switch step {
	case 2:
		r.sim.TransferVolume(s.volumes["strayed"], s.projects["p1"])
		r.sim.SetVolumeStatus(s.volumes["volumeerror"], "error")
		r.removeLeaves(s.volumes["slipped"])
	case 3:
		r.sim.DisableProject(s.projects["shut"])
	case 5: // before the day in which each of them gets a backup again
		s.restoreServers(r.sim)
	case 6:
		for _, b := range r.sim.BackupsOf(s.volumes["stuck"]) {
			if b.Status == "creating" && !r.point.reset {
				r.sim.ReleaseBackup(b.ID)
			}
		}
	case 7:
		for _, name := range []string{"wiped", "wiped too"} {
			for _, b := range r.sim.BackupsOf(s.volumes[name]) {
				r.sim.RemoveBackup(b.ID)
			}
		}
	}
}

// removeLeaves removes the newest link of each of a volume's chains. The next list of its backups still shows them.
func (r *crashRun) removeLeaves(volume string) {
	all := []map[string]any{}
	for _, b := range r.sim.BackupsOf(volume) {
		all = append(all, map[string]any{
			"id": b.ID, "name": b.Name, "status": b.Status, "size": b.SizeGiB, "metadata": b.Metadata,
			"volume_id": b.Volume, "user_id": b.User, "os-backup-project-attr:project_id": b.Project,
			"is_incremental": b.Parent != "", "has_dependent_backups": b.Dependents,
			"created_at": b.Created.UTC().Format(time.RFC3339), "data_timestamp": b.DataTimestamp.UTC().Format(time.RFC3339),
		})
		if !b.Dependents {
			r.sim.RemoveBackup(b.ID)
		}
	}
	body, err := json.Marshal(map[string]any{"backups": all})
	if err != nil {
		panic(err)
	}
	r.sim.AddFault(cloudsim.Fault{
		Route: backupsRoute, Match: func(q cloudsim.Request) bool { return q.Query.Get("volume_id") == volume },
		Times: 1, Do: cloudsim.Refuse{Status: http.StatusOK, Body: string(body), Header: http.Header{"Content-Type": {"application/json"}}},
	})
}

// confirmLost is what an operator does with confirm-lost: the missing restore points are really gone.
func (r *crashRun) confirmLost(ctx context.Context) error {
	_, err := r.pool.Exec(ctx, `UPDATE installation SET losses_confirmed_at = staffeln_now()`)
	return err
}
