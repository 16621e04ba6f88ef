package backup

import (
	"maps"
	"slices"
)

// reasons is the closed set of codes, each with its owner and its sentence.
var reasons = map[Reason]struct {
	owner    Owner
	sentence string
}{
	FirstBackup:        {Nobody, "The volume has no restore point yet."},
	EveryFull:          {Nobody, "Every backup is a full (depth 0)."},
	ChainContinues:     {Nobody, "The chain can take one more incremental."},
	ChainComplete:      {Nobody, "The chain has all its incrementals, so a full starts the next chain."},
	SizeChanged:        {Nobody, "The volume's size changed since the chain began; Cinder refuses an incremental on it."},
	NoUsableParent:     {Nobody, "Cinder has no usable parent for an incremental."},
	LeftoverNotRemoved: {Operator, "A failed leftover blocks incrementals and could not be removed within an interval; a full is made instead."},
	ParentInUse:        {Nobody, "The newest link was being restored or removed for longer than an interval; a full is made instead."},
	FullAsked:          {Nobody, "The operator asked for a full."},
	IncrementalsFail:   {Operator, "Incrementals of the volume were accepted and failed twice in a row; a full is made instead."},

	NotProtected:     {Nobody, "Not selected for backup: no server that it is attached to asks for backups."},
	VolumeGone:       {Nobody, "The volume is gone."},
	ProjectChanged:   {Nobody, "The volume was transferred to another project; its backups there begin anew."},
	ProjectGone:      {Operator, "The project is deleted: delete the servers and volumes that it left; if backups of it are left, `staffeln purge-project` removes them."},
	BackupInProgress: {Nobody, "A backup of the volume is in progress."},
	Paused:           {Operator, "The operator paused it: nothing new starts before `staffeln resume`."},
	BackupIsFresh:    {Nobody, "The newest restore point is younger than the interval."},
	RetryLater:       {Nobody, "The last attempt failed, and the next one is not due yet."},
	WaitsForLeftover: {Nobody, "A failed leftover blocks incrementals and is removed first."},
	WaitsForParent:   {Nobody, "The newest link is being restored or removed, and the backup waits for the end of that."},
	VolumeChanging:   {Nobody, "The volume is being changed (attached, detached, migrated, retyped, shelved, ...); a backup waits until that is over."},

	VolumeStatus:       {Tenant, "The volume is in a status in which Cinder refuses a backup."},
	VolumeLeftInError:  {Operator, "A failed backup left the volume in Cinder's status error_backing-up, which only an administrator can end: reset it to what it was (openstack volume set --state in-use VOLUME, or available if it is not attached)."},
	VolumeNotReady:     {Tenant, "Another operation on the volume was in progress when the backup was requested."},
	NoServiceInZone:    {Operator, "No cinder-backup service serves the volume's availability zone: start one there, or map the zone with STAFFELN_BACKUP_ZONES."},
	QuotaExceeded:      {Tenant, "The project's backup quota is exhausted: remove backups or have it raised."},
	Forbidden:          {Operator, "Cinder's policy refuses the service user: check its roles and the policy."},
	NoRole:             {Operator, "The service user has no role in the project: grant it the inherited role on the domain."},
	NotAdmin:           {Operator, "The service user lacks the role admin in its own project: nothing new is planned, and losses go unseen."},
	Unauthorised:       {Operator, "Keystone refuses the service user's credentials."},
	Refused:            {Operator, "Cinder refused the request: read its error message in the record."},
	BackupError:        {Operator, "Cinder could not make the backup: read its fail_reason in the record."},
	BackupGone:         {Operator, "The backup disappeared while it was being created."},
	DeadlinePassed:     {Operator, "The backup took longer than its deadline: check cinder-backup."},
	ResponseUnknown:    {Nobody, "The response to a request is missing; Staffeln checks its effect before it repeats the request."},
	CinderUnavailable:  {Operator, "Cinder or Keystone did not respond."},
	Throttled:          {Nobody, "The cloud asked us to slow down."},
	RemovedByOthers:    {Operator, "The backup was removed from Cinder by somebody else."},
	Reappeared:         {Nobody, "A backup that was gone is in Cinder again."},
	DeletionRefused:    {Operator, "Cinder refuses to remove the backup: read its error message in the record."},
	DeletionStuck:      {Operator, "The removal does not end: check cinder-backup, and Barbican if the volume is encrypted."},
	HasDependents:      {Nobody, "Other backups build on this one."},
	SecretRightUnknown: {Operator, "The backup is encrypted and the service user's roles do not show a right to its secret; its removal could hang for ever."},
	Cancelled:          {Nobody, "The operator cancelled it."},
	Forced:             {Operator, "It hung, and Cinder was asked to remove it by force: check cinder-backup."},
	StatusReset:        {Operator, "It hung, and its status was set to error so that it can be removed: check cinder-backup."},
	TwinBackup:         {Nobody, "Cinder made two backups for one request, or one after its record had ended: this one has a record of its own."},

	RetentionOver:    {Nobody, "Its retention is over."},
	ProjectPurged:    {Nobody, "The operator purged the backups of a deleted project."},
	FailedLeftover:   {Nobody, "Leftover of a failed backup."},
	Young:            {Nobody, "Its retention is not over."},
	Floor:            {Nobody, "Always kept: newest."},
	FloorDependsOnIt: {Nobody, "Needed by a newer restore point that is always kept."},
	KeptForDependent: {Nobody, "Needed by a newer restore point."},
	DependentFirst:   {Nobody, "A newer incremental that depends on it is removed first."},
	BeingCreated:     {Nobody, "It is being created."},
	BeingRemoved:     {Nobody, "It is being removed."},
	BeingRestored:    {Nobody, "It is being restored."},
	CreationBuildsOn: {Nobody, "Needed by a backup that is being created."},
	Foreign:          {Nobody, "Not made by this installation."},
	ForeignDependent: {Tenant, "Needed by a backup that Staffeln did not make."},
	CannotBeRemoved:  {Operator, "Cinder could not remove it: see `deletion_stuck` in the runbook."},
	StatusUnknown:    {Operator, "Cinder reports a status that Staffeln does not know, or the status error for a restore point: check the backup in Cinder."},

	BackupMetadataUnreadable:    {Tenant, "The server's backup metadata is neither true nor false; it is not protected."},
	RetentionMetadataUnreadable: {Tenant, "The server's retention metadata can't be read; the previous retention remains in force."},
	RetentionShortened:          {Tenant, "The retention was shortened by metadata; it takes effect after the delay."},
	Orphan:                      {Operator, "A backup of ours has no record, as after the restore of an older database: nothing will remove it."},
	TagMismatch:                 {Operator, "A backup of ours names the record of another volume or project: nothing will remove it."},
	NotSeen:                     {Operator, "Staffeln could not read the cloud completely; the scheduler's log shows what is missing."},
	OlderAPINode:                {Operator, "An API node of Cinder is older than the others; its microversion is used meanwhile: finish the upgrade."},
	EndpointSilent:              {Operator, "A service does not respond at its endpoint in the catalog: start it there, or correct the endpoint in the catalog."},
	AbsencesUnconfirmed:         {Operator, "More servers or volumes are missing or detached than is accepted without confirmation; no protection ends because of it: check Nova, Cinder and the admin role, or confirm with `staffeln confirm-lost`."},
	ProtectionEnded:             {Tenant, "The volume is no longer protected; its restore points are removed when their retention is over, the newest not before the grace ends."},
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
	SecretsUnconfirmed: {Operator, "More secrets of encrypted restore points are missing in Barbican than is accepted without confirmation: check its database, or confirm with `staffeln confirm-lost`."},
	NoWorker:           {Operator, "No worker takes tasks: nothing is backed up, checked or removed."},
	QueueUnreachable:   {Operator, "Redis does not take tasks: nothing new is backed up, checked or removed."},
	LossesUnconfirmed:  {Operator, "More restore points are missing in Cinder's listing than is accepted without confirmation: check the admin role and Cinder's database."},
}

// Known reports whether r belongs to the closed set.
func (r Reason) Known() bool { _, ok := reasons[r]; return ok }

// Sentence returns the explanation of r for people.
func (r Reason) Sentence() string { return reasons[r].sentence }

// Whose returns who must take action on r.
func (r Reason) Whose() Owner { return reasons[r].owner }

// Reasons returns the whole set, in no particular order.
func Reasons() []Reason { return slices.Collect(maps.Keys(reasons)) }
