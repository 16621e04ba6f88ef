package doctor

// Check is who asks the delete check, and who may.
type Check struct {
	// Demanded says that the configuration demands a client certificate of whoever asks, Named that it also says of which names.
	Demanded, Named bool
	// Verified and Unverified are questions that were answered within the last day, to callers that presented the certificate that
	// is demanded and to others.
	Verified, Unverified int64
}

const demand = "set STAFFELN_API_TLS_CLIENT_CA_FILE (docs/cinder.md), and let nobody but cinder-api reach the port"

func deleteCheck(f Facts) []Finding {
	v := verdicts{check: "delete_check"}
	if v.unread(f) {
		return v.found
	}
	c := f.Check
	switch {
	case c.Unverified > 0 && c.Demanded:
		v.say(Warning, "start every api with the same STAFFELN_API_TLS_CLIENT_CA_FILE; where it was set within the last day, wait",
			"the delete check is open to everybody at some api: it answered %d questions without a client certificate within a day", c.Unverified)
	case c.Unverified > 0:
		v.say(Warning, demand, "the delete check is open to everybody who reaches it: it answered %d questions without a client certificate within a day, and can't record whose they were", c.Unverified)
	case !c.Demanded && c.Verified == 0:
		v.say(Warning, demand, "the delete check is open to everybody who reaches it: as far as this environment says it demands no client certificate")
	case c.Demanded && !c.Named:
		return append(v.or("it demands a client certificate; questions of callers with one within a day: %d", c.Verified),
			Finding{v.check, OK, "every certificate of the authority may ask (STAFFELN_API_TLS_CLIENT_NAMES is empty)", ""})
	}
	return v.or("it demands a client certificate; questions of callers with one within a day: %d", c.Verified)
}
