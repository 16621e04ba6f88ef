package backup

import "testing"

// During a pause nothing new starts; unwanted backups still end.
func TestNextPaused(t *testing.T) {
	for name, c := range map[string]struct{ history, want string }{
		"the first backup":          {"paused", "wait paused"},
		"due":                       {"paused F-1h", "wait paused"},
		"fresh":                     {"paused F-10min", "wait paused"},
		"a delay after a failure":   {"paused F-2h Ix-0s", "wait paused"},
		"a status Cinder refuses":   {"paused status=error F-2h", "wait paused"},
		"requested manually":        {"paused manual F-10min", "wait paused"},
		"planned":                   {"paused F-2h Ip-10min", "wait backup_in_progress"},
		"being made":                {"paused F-2h Ic-10min", "wait backup_in_progress"},
		"not protected":             {"paused unprotected", "wait not_protected"},
		"planned, not protected":    {"paused unprotected Ip-10min", "withdraw not_protected"},
		"planned, gone":             {"paused gone Ip-10min", "withdraw volume_gone"},
		"planned, transferred":      {"paused project=B Ip-10min", "withdraw project_changed"},
		"being made, not protected": {"paused unprotected Ic-10min", "wait not_protected"},
	} {
		t.Run(name, func(t *testing.T) { check(t, hourly, c.history, c.want) })
	}
}

// A manual request skips the interval and the delays, and nothing else.
func TestNextManual(t *testing.T) {
	for name, c := range map[string]struct{ history, want string }{
		"fresh":                         {"manual F-10min", "incremental chain_continues"},
		"made in this very run":         {"manual F-0s", "incremental chain_continues"},
		"fresh, the chain complete":     {"manual F-3h I-2h I-10min", "full chain_complete"},
		"fresh, of another size":        {"manual size=20 F-10min", "full! size_changed"},
		"a delay after a failure":       {"manual F-2h Ix-0s", "incremental chain_continues"},
		"a delay after many failures":   {"manual Fx-2h Fx-1h Fx-0s", "full first_backup"},
		"refused by its status today":   {"manual status=error F-2h Is-10min", "fail volume_status"},
		"being changed":                 {"manual status=retyping F-2h", "wait volume_changing"},
		"its status is good again":      {"manual F-2h Is-10min", "incremental chain_continues"},
		"due anyway":                    {"manual F-1h", "incremental chain_continues"},
		"one in progress":               {"manual F-2h Ip-10min", "wait backup_in_progress"},
		"not protected":                 {"manual unprotected F-2h", "wait not_protected"},
		"planned, not protected":        {"manual unprotected Ip-10min", "withdraw not_protected"},
		"gone":                          {"manual gone F-2h", "wait volume_gone"},
		"fresh, a leftover in the way":  {"manual F-20min Ie-10min", "wait waits_for_leftover 10min"},
		"fresh, the parent is restored": {"manual Fr-10min", "wait waits_for_parent 10min"},
	} {
		t.Run(name, func(t *testing.T) { check(t, hourly, c.history, c.want) })
	}
	check(t, "1h/10min depth 0", "manual F-10min", "full every_backup_full")
}
