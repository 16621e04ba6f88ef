package backup

// A Reason is a code for why a backup is made or not, why it ended as it did, or why a restore point expires or is
// retained. The log, the metrics, the records, the report and the runbook use the same codes.
type Reason string

// An Owner is who has to act on a reason.
type Owner string

// The owners of a reason.
const (
	Tenant   Owner = "tenant"
	Operator Owner = "operator"
	Nobody   Owner = "nobody"
)

// Reasons why a backup is made.
const (
	FirstBackup      Reason = "first_backup"
	EveryFull        Reason = "every_backup_full"
	ChainContinues   Reason = "chain_continues"
	ChainComplete    Reason = "chain_complete"
	SizeChanged      Reason = "size_changed"
	NoUsableParent   Reason = "no_usable_parent"
	LeftoverStays    Reason = "leftover_stays"
	ParentStaysBusy  Reason = "parent_stays_busy"
	IncrementalsFail Reason = "incrementals_fail"
	FullAsked        Reason = "full_asked"
)

// Reasons why no backup is made now.
const (
	NotProtected     Reason = "not_protected"
	VolumeGone       Reason = "volume_gone"
	ProjectChanged   Reason = "project_changed"
	ProjectGone      Reason = "project_gone"
	BackupInProgress Reason = "backup_in_progress"
	Paused           Reason = "paused"
	BackupIsFresh    Reason = "backup_is_fresh"
	RetryLater       Reason = "retry_later"
	WaitsForLeftover Reason = "waits_for_leftover"
	WaitsForParent   Reason = "waits_for_parent"
	VolumeChanging   Reason = "volume_changing"
)

// Results of a record, and reasons why it has not ended.
const (
	VolumeStatus       Reason = "volume_status"
	VolumeBusy         Reason = "volume_busy"
	NoServiceInZone    Reason = "no_service_in_zone"
	QuotaExceeded      Reason = "quota_exceeded"
	Forbidden          Reason = "forbidden"
	NoRole             Reason = "no_role"
	Unauthorised       Reason = "unauthorised"
	Refused            Reason = "refused_by_cinder"
	BackupError        Reason = "backup_error"
	BackupGone         Reason = "backup_gone"
	DeadlinePassed     Reason = "deadline_passed"
	AnswerUnknown      Reason = "answer_unknown"
	CinderUnavailable  Reason = "cinder_unavailable"
	Throttled          Reason = "throttled"
	RemovedByOthers    Reason = "removed_by_others"
	Reappeared         Reason = "reappeared"
	DeletionRefused    Reason = "deletion_refused"
	DeletionStuck      Reason = "deletion_stuck"
	HasDependents      Reason = "has_dependents"
	SecretRightUnknown Reason = "secret_right_unknown"
	TwinBackup         Reason = "twin_backup"
	Cancelled          Reason = "cancelled"
	Forced             Reason = "forced"
	StatusReset        Reason = "status_reset"
)

// Reasons why a restore point expires or is retained.
const (
	RetentionOver    Reason = "expired"
	FailedLeftover   Reason = "failed_leftover"
	ProjectPurged    Reason = "project_purged"
	Young            Reason = "within_retention"
	Floor            Reason = "restore_point_floor"
	FloorDependsOnIt Reason = "restore_point_floor_depends_on_it"
	DependentStays   Reason = "dependent_stays"
	DependentFirst   Reason = "dependent_first"
	BeingCreated     Reason = "being_created"
	BeingRemoved     Reason = "being_removed"
	BeingRestored    Reason = "being_restored"
	CreationBuildsOn Reason = "creation_builds_on_chain"
	Foreign          Reason = "foreign"
	ForeignDependent Reason = "foreign_dependent"
	CannotBeRemoved  Reason = "cannot_be_removed"
	StatusUnknown    Reason = "status_unknown"
)

// Findings.
const (
	BackupMetadataUnreadable    Reason = "backup_metadata_unreadable"
	RetentionMetadataUnreadable Reason = "retention_metadata_unreadable"
	RetentionShortened          Reason = "retention_shortened"
	Orphan                      Reason = "orphan"
	TagMismatch                 Reason = "tag_mismatch"
	LossesUnconfirmed           Reason = "losses_unconfirmed"
	CheckNotAsked               Reason = "check_not_asked"
	SecretGone                  Reason = "secret_gone"
	SecretsUnconfirmed          Reason = "secrets_unconfirmed" //nolint:gosec // the code of a reason, no secret
	NoWorker                    Reason = "no_worker"
	QueueUnreachable            Reason = "queue_unreachable"
	AbsencesUnconfirmed         Reason = "absences_unconfirmed"
	OlderAPINode                Reason = "older_api_node"
	EndpointSilent              Reason = "endpoint_silent"
	ProtectionEnded             Reason = "protection_ended"
	CinderClock                 Reason = "cinder_clock"
	NoReceiver                  Reason = "no_receiver"
	RefusalBurst                Reason = "refusal_burst"
)

// Reasons why a protection ended; they complement [ProtectionEnded].
const (
	EndMetadata      Reason = "metadata"
	EndDetached      Reason = "detached"
	EndServerDeleted Reason = "server_deleted"
	EndVolumeDeleted Reason = "volume_deleted"
	EndTransferred   Reason = "transferred"
)

// EndReasons returns all reasons why a protection ends.
func EndReasons() []Reason {
	return []Reason{EndMetadata, EndDetached, EndServerDeleted, EndVolumeDeleted, EndTransferred}
}

// NotSeen replaces a decision that the newest plan could not make.
const NotSeen Reason = "not_seen"

// reasons is the closed set of codes, each with its owner and its sentence.
var reasons = map[Reason]struct {
	owner    Owner
	sentence string
}{
	FirstBackup:     {Nobody, "The volume has no restore point yet."},
	EveryFull:       {Nobody, "Every backup is a full (depth 0)."},
	ChainContinues:  {Nobody, "The chain has room for one more incremental."},
	ChainComplete:   {Nobody, "The chain has all its incrementals; a new full begins the next one."},
	SizeChanged:     {Nobody, "The volume's size changed since the chain began; Cinder refuses an incremental on it."},
	NoUsableParent:  {Nobody, "Cinder has no usable parent for an incremental."},
	LeftoverStays:   {Operator, "A failed leftover blocks incrementals and could not be removed within an interval; a full is made instead."},
	ParentStaysBusy: {Nobody, "The newest link was being restored or removed for longer than an interval; a full is made instead."},

	FullAsked:        {Nobody, "The operator asked for a full."},
	IncrementalsFail: {Operator, "Incrementals of the volume were accepted and failed twice in a row; a full is made instead."},

	NotProtected:     {Nobody, "No server that the volume is attached to asks for backups."},
	VolumeGone:       {Nobody, "The volume is gone."},
	ProjectChanged:   {Nobody, "The volume was transferred to another project; its backups there begin anew."},
	ProjectGone:      {Operator, "The project is gone; what it left in Cinder, if anything, waits for `staffeln purge-project`."},
	BackupInProgress: {Nobody, "A backup of the volume is in progress."},
	Paused:           {Operator, "The operator paused it: nothing new starts before `staffeln resume`."},
	BackupIsFresh:    {Nobody, "The newest restore point is younger than the interval."},
	RetryLater:       {Nobody, "The last attempt failed; the next one waits for its turn."},
	WaitsForLeftover: {Nobody, "A failed leftover is removed first; it blocks incrementals."},
	WaitsForParent:   {Nobody, "The newest link is being restored or removed; it is waited for."},

	VolumeChanging: {Nobody, "The volume is being changed (attached, detached, migrated, retyped, shelved, ...); a backup waits until that is over."},

	VolumeStatus:       {Tenant, "The volume is in a status in which Cinder refuses a backup."},
	VolumeBusy:         {Tenant, "The volume was busy when the backup was asked for."},
	NoServiceInZone:    {Operator, "No cinder-backup service serves the volume's availability zone: start one there, or map the zone with STAFFELN_BACKUP_ZONES."},
	QuotaExceeded:      {Tenant, "The project's backup quota is exhausted: remove backups or have it raised."},
	Forbidden:          {Operator, "Cinder's policy refuses the service user: check its roles and the policy."},
	NoRole:             {Operator, "The service user has no role in the project: grant it the inherited role on the domain."},
	Unauthorised:       {Operator, "Keystone refuses the service user's credentials."},
	Refused:            {Operator, "Cinder refused the request: read its words in the record."},
	BackupError:        {Operator, "Cinder's backup service reported an error: read its fail_reason in the record."},
	BackupGone:         {Operator, "The backup disappeared while it was being created."},
	DeadlinePassed:     {Operator, "The backup took longer than its deadline: look at cinder-backup."},
	AnswerUnknown:      {Nobody, "The answer to a request is missing; its effect is looked for before it is asked again."},
	CinderUnavailable:  {Operator, "Cinder or Keystone did not answer."},
	Throttled:          {Nobody, "The cloud asked us to slow down."},
	RemovedByOthers:    {Operator, "The backup was removed from Cinder by somebody else."},
	Reappeared:         {Nobody, "A backup that was gone is in Cinder again."},
	DeletionRefused:    {Operator, "Cinder refuses to remove the backup: read its words in the record."},
	DeletionStuck:      {Operator, "The removal does not end: look at cinder-backup, and at Barbican where the volume is encrypted."},
	HasDependents:      {Nobody, "Other backups build on this one."},
	SecretRightUnknown: {Operator, "The backup is encrypted and the service user's roles do not show a right to its secret; its removal could hang for ever."},
	Cancelled:          {Nobody, "The operator cancelled it."},
	Forced:             {Operator, "It hung, and Cinder was asked to remove it by force: look at cinder-backup."},
	StatusReset:        {Operator, "It hung, and its status was set to error so that it can be removed: look at cinder-backup."},
	TwinBackup:         {Nobody, "A second backup came of one request; it is kept as a restore point of its own."},

	RetentionOver:    {Nobody, "Its retention is over."},
	ProjectPurged:    {Nobody, "The operator purged the backups of a deleted project."},
	FailedLeftover:   {Nobody, "It is what is left of a failed backup."},
	Young:            {Nobody, "Its retention is not over."},
	Floor:            {Nobody, "It is among the newest restore points that are always kept."},
	FloorDependsOnIt: {Nobody, "A restore point that is always kept stands on it."},
	DependentStays:   {Nobody, "An incremental on it stays."},
	DependentFirst:   {Nobody, "An incremental on it is removed first."},
	BeingCreated:     {Nobody, "It is being created."},
	BeingRemoved:     {Nobody, "Its removal is under way."},
	BeingRestored:    {Nobody, "It is being restored."},
	CreationBuildsOn: {Nobody, "A backup that is being made builds on its chain."},
	Foreign:          {Nobody, "This installation did not make it."},
	ForeignDependent: {Tenant, "A backup that this installation did not make builds on it."},
	CannotBeRemoved:  {Operator, "Cinder could not remove it: see `error_deleting` in the runbook."},
	StatusUnknown:    {Operator, "Cinder gives it a status that Staffeln does not know, or calls a restore point an error: look at it in Cinder."},

	BackupMetadataUnreadable:    {Tenant, "The server's backup metadata is neither true nor false; it is not protected."},
	RetentionMetadataUnreadable: {Tenant, "The server's retention metadata can't be read; the retention before stays in force."},
	RetentionShortened:          {Tenant, "The retention was shortened by metadata; it takes effect after the delay."},
	Orphan:                      {Operator, "A backup of ours has no record, as after the restore of an older database: nothing will remove it."},
	TagMismatch:                 {Operator, "A backup of ours names the record of another volume or project: nothing will remove it."},
	NotSeen:                     {Operator, "The newest plan did not see enough of the cloud to tell; the scheduler's log says what it missed."},
	OlderAPINode:                {Operator, "An API node of Cinder is older than the others; its microversion is used meanwhile: finish the upgrade."},
	EndpointSilent:              {Operator, "A service does not answer where the catalog says: start it there, or name its endpoint in the catalog."},
	AbsencesUnconfirmed:         {Operator, "More servers or volumes are missing or detached than is believed; no protection ends by that: check Nova, Cinder and the admin role, or confirm with `staffeln confirm-lost`."},
	ProtectionEnded:             {Tenant, "The volume is no longer protected; its restore points go when their retention is over, the newest not before the grace ends."},
	CinderClock:                 {Operator, "Cinder's clock differs from the database's: times of backups are taken from our own requests; set Cinder's clock."},
	NoReceiver:                  {Operator, "The project has no receiver with a usable e-mail address; its reports are sent to nobody."},
	RefusalBurst:                {Operator, "One caller was refused the deletion of many backups within a minute: it may be an intruder."},

	EndMetadata:      {Nobody, "The server's metadata no longer asks for backups."},
	EndDetached:      {Nobody, "The volume was detached from the server that asked for its backups."},
	EndServerDeleted: {Nobody, "The server that asked for its backups was deleted."},
	EndVolumeDeleted: {Nobody, "The volume was deleted."},
	EndTransferred:   {Nobody, "The volume was transferred to another project."},

	CheckNotAsked:      {Operator, "Restore points were removed by others, and Cinder did not ask: by an administrator, or its policy no longer asks the api."},
	SecretGone:         {Operator, "Barbican no longer has the secrets of encrypted restore points: nobody can restore them."},
	SecretsUnconfirmed: {Operator, "More secrets of encrypted restore points are missing in Barbican than is believed: check its database, or confirm with `staffeln confirm-lost`."},
	NoWorker:           {Operator, "No worker takes tasks: nothing is backed up, looked at or removed."},
	QueueUnreachable:   {Operator, "Redis does not take tasks: nothing new is backed up, looked at or removed."},
	LossesUnconfirmed:  {Operator, "More restore points are missing in Cinder's listing than is believed: check the admin role and Cinder's database."},
}

// Known reports whether r belongs to the closed set.
func (r Reason) Known() bool { _, ok := reasons[r]; return ok }

// Sentence returns the explanation of r for people.
func (r Reason) Sentence() string { return reasons[r].sentence }

// Whose returns who has to act on r.
func (r Reason) Whose() Owner { return reasons[r].owner }

// Reasons returns the whole set, in no particular order.
func Reasons() []Reason {
	all := make([]Reason, 0, len(reasons))
	for r := range reasons {
		all = append(all, r)
	}
	return all
}
