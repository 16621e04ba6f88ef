package backup

import "slices"

// ForeignHolds returns the removal reasons of an available record on which a foreign backup builds: we saw it in
// Cinder's list, or Cinder refused the removal because of dependents. Of our own dependents we know, and never ask for
// the removal of what they build on.
func ForeignHolds() []Reason { return []Reason{ForeignDependent, HasDependents} }

// HasForeignDependent reports whether a foreign backup builds on the restore point, as far as we know. Nobody knows for
// how long, so no forecast promises a time of its removal.
func (r Record) HasForeignDependent() bool {
	return r.State == Available && slices.Contains(ForeignHolds(), r.RemovalReason)
}

// ForeignDependents returns the IDs of those of our backups on which a foreign one builds, directly or through others.
// The links are all that Cinder has of one volume.
func ForeignDependents(links []Link) map[string]bool {
	on := map[string]bool{}
	for _, chain := range Chains(links) {
		foreign := false
		for _, l := range slices.Backward(chain) {
			if foreign && !l.Foreign() {
				on[l.BackupID] = true
			}
			foreign = foreign || l.Foreign()
		}
	}
	return on
}

// RemovalReasonSeen returns the removal reason of a record after all of Cinder's backups of the volume were seen.
// foreign reports whether a foreign one builds on it, dependents whether Cinder reports any dependents of it. A refusal
// because of dependents counts until Cinder reports none.
func (r Record) RemovalReasonSeen(foreign, dependents bool) Reason {
	switch {
	case r.State != Available:
		return r.RemovalReason
	case foreign:
		return ForeignDependent
	case r.RemovalReason == ForeignDependent || r.RemovalReason == HasDependents && !dependents:
		return ""
	}
	return r.RemovalReason
}
