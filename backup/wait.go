package backup

// A WaitCode is a code for what a volume waits for. Log, metrics, JSON, pages and CLI use the same codes.
type WaitCode string

// What a volume waits for.
const (
	WaitCap       WaitCode = "cap"        // a limit on backups in progress is reached
	WaitService   WaitCode = "no_service" // no cinder-backup service is up in its availability zone
	WaitPause     WaitCode = "paused"     // an operator paused its project, or everything
	WaitThrottle  WaitCode = "throttled"  // Cinder is slow, away or failing, so fewer backups begin
	WaitDispatch  WaitCode = "dispatch"   // the next dispatch run admits it if a slot is free
	WaitScheduler WaitCode = "scheduler"  // no scheduler leads
	WaitQueue     WaitCode = "queue"      // Redis does not take tasks
	WaitWorker    WaitCode = "worker"     // a worker has to take its task, or no worker is alive
	WaitCinder    WaitCode = "cinder"     // Cinder has to finish a backup or a removal
	WaitRetry     WaitCode = "retry"      // the time of the next attempt
	WaitVolume    WaitCode = "volume"     // the volume is being changed
	WaitTenant    WaitCode = "tenant"     // the tenant must take action
	WaitOperator  WaitCode = "operator"   // the operator must take action
	WaitPlan      WaitCode = "next_plan"  // a backup is due, and the next plan asks for it
	WaitRetention WaitCode = "retention"  // a removal is due, and the next retention run finds it
	WaitLink      WaitCode = "kept"       // a removal is due, and the reason why the backup is kept now has to end
)

// WaitCodes returns all codes.
func WaitCodes() []WaitCode {
	return []WaitCode{
		WaitCap, WaitService, WaitPause, WaitThrottle, WaitDispatch, WaitScheduler, WaitQueue, WaitWorker, WaitCinder, WaitRetry,
		WaitVolume, WaitTenant, WaitOperator, WaitPlan, WaitRetention, WaitLink,
	}
}

// Wait returns what a planned record waits for that was not admitted for this reason.
func (h Held) Wait() WaitCode {
	switch h {
	case HeldByTotal, HeldByProject, HeldByZone, HeldByForcedFulls:
		return WaitCap
	case HeldByPause:
		return WaitPause
	case Held(WhileOutage):
		return WaitService
	case Held(WhileThrottle), Held(WhileAway), Held(WhileFailing):
		return WaitThrottle
	}
	return WaitDispatch
}
