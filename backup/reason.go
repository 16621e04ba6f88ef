package backup

// A Reason is a code for why a backup is made or not, why it ended as it did, or why a restore point expires or is
// retained. The log, the metrics, the records, the report and the runbook use the same codes.
type Reason string

// An Owner is who must take action on a reason.
type Owner string

// The owners of a reason.
const (
	Tenant   Owner = "tenant"
	Operator Owner = "operator"
	Nobody   Owner = "nobody"
)

// Reasons why a backup is made.
const (
	FirstBackup        Reason = "first_backup"
	EveryFull          Reason = "every_backup_full"
	ChainContinues     Reason = "chain_continues"
	ChainComplete      Reason = "chain_complete"
	SizeChanged        Reason = "size_changed"
	NoUsableParent     Reason = "no_usable_parent"
	LeftoverNotRemoved Reason = "leftover_not_removed"
	ParentInUse        Reason = "parent_in_use"
	IncrementalsFail   Reason = "incrementals_fail"
	FullAsked          Reason = "full_asked"
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
	VolumeLeftInError  Reason = "volume_error_backing_up"
	VolumeNotReady     Reason = "volume_not_ready"
	NoServiceInZone    Reason = "no_service_in_zone"
	QuotaExceeded      Reason = "quota_exceeded"
	Forbidden          Reason = "forbidden"
	NoRole             Reason = "no_role"
	NotAdmin           Reason = "not_admin"
	Unauthorised       Reason = "unauthorised"
	Refused            Reason = "refused_by_cinder"
	BackupError        Reason = "backup_error"
	BackupGone         Reason = "backup_gone"
	DeadlinePassed     Reason = "deadline_passed"
	ResponseUnknown    Reason = "response_unknown"
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
	KeptForDependent Reason = "kept_for_dependent"
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
