package doctor

// Check is who used the delete check, and who may use it.
type Check struct {
	// Required reports whether the configuration requires a client certificate, Named whether it also names the allowed clients.
	Required, Named bool
	// Verified and Unverified count the requests of the last day that got a response, with the required certificate and
	// without.
	Verified, Unverified int64
}

const requireIt = "set STAFFELN_API_TLS_CLIENT_CA_FILE (docs/cinder.md), and restrict the port to cinder-api"

func deleteCheck(f Facts) []Result {
	v := findings{check: "delete_check"}
	if v.unread(f) {
		return v.found
	}
	c := f.Check
	switch {
	case c.Unverified > 0 && c.Required:
		v.add(Warning, "start every api with the same STAFFELN_API_TLS_CLIENT_CA_FILE; if it was set within the last day, check again tomorrow",
			"at least one api serves the delete check without a client certificate: %d requests within a day", c.Unverified)
	case c.Unverified > 0:
		v.add(Warning, requireIt, "anyone who can reach the port can use the delete check: it served %d requests without a client certificate within a day", c.Unverified)
	case !c.Required && c.Verified == 0:
		v.add(Warning, requireIt, "anyone who can reach the port can use the delete check: by this environment it requires no client certificate")
	case c.Required && !c.Named:
		return append(v.orOK("a client certificate is required; requests with one within a day: %d", c.Verified),
			Result{v.check, OK, "any certificate of the CA is accepted (STAFFELN_API_TLS_CLIENT_NAMES is empty)", ""})
	}
	return v.orOK("a client certificate is required; requests with one within a day: %d", c.Verified)
}
