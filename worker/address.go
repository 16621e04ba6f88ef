package worker

import (
	"errors"
	"fmt"
	"net/mail"
	"regexp"
	"strings"

	"staffeln/backup"
)

// addressPattern matches an address as nearly all are: no quotes, spaces, comments, lists, second address or line break. So the
// name of a user or project can add neither a receiver nor a header.
var addressPattern = regexp.MustCompile(`^[A-Za-z0-9!#$%&'*+/=?^_{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_{|}~-]+)*@[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$`)

// The maximum length of an address, and of its part before the @ (RFC 5321).
const (
	longestAddress = 254
	longestLocal   = 64
)

func checkAddress(text string) error {
	refuse := fmt.Errorf("%.80q: want an address such as name@example.org", text)
	local, _, _ := strings.Cut(text, "@")
	if !addressPattern.MatchString(text) || len(text) > longestAddress || len(local) > longestLocal {
		return refuse
	}
	parsed, err := mail.ParseAddress(text)
	if err != nil || parsed.Address != text || parsed.Name != "" {
		return refuse
	}
	return nil
}

// errNoReceiver means that a project has no receiver.
var errNoReceiver = errors.New("no receiver found")

// ofMembers returns the addresses of a project's members, each once. Invalid addresses are left out.
func ofMembers(members []backup.Member) ([]string, error) {
	var to, refused []string
	seen := map[string]bool{}
	for _, m := range members {
		if err := checkAddress(m.Email); err != nil {
			refused = append(refused, m.UserID)
			continue
		}
		if lower := strings.ToLower(m.Email); !seen[lower] {
			seen[lower] = true
			to = append(to, m.Email)
		}
	}
	switch {
	case len(to) > 0:
		return to, nil
	case len(refused) > 0:
		return nil, fmt.Errorf("%w: none of its members has a usable e-mail address in Keystone (users %v)", errNoReceiver, refused)
	}
	return nil, fmt.Errorf("%w: no enabled user with an e-mail address in Keystone has a role in the project", errNoReceiver)
}

// ofName returns the address of a project's name at a domain, or an error if the result is no valid address.
func ofName(name, domain string) ([]string, error) {
	to := name + "@" + domain
	if err := checkAddress(to); err != nil {
		return nil, fmt.Errorf("%w: the project's name can't be part of an address: %w", errNoReceiver, err)
	}
	return []string{to}, nil
}
