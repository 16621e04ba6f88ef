package cloudsim

import (
	"encoding/json"
	"net/http"
	"strconv"
	"unicode"
)

// MaxPage is a service that can't return pages of more than so many items in time: its gateway returns a 504. A request
// without a limit counts as a request for a thousand items.
func MaxPage(route string, most int) Fault {
	return Fault{
		Route: route,
		Match: func(r Request) bool {
			n, err := strconv.Atoi(r.Query.Get("limit"))
			return err != nil || n > most
		},
		Do: Refuse{
			Status: http.StatusGatewayTimeout, Header: http.Header{"Content-Type": {"text/html"}},
			Body: "<html><body><h1>504 Gateway Time-out</h1>\nThe server didn't respond in time.\n</body></html>\n",
		},
	}
}

// RefuseTexts returns this status for every creation of a backup, server or volume whose name, description or metadata contains
// such a character: the 400 of a check in front of the service, or the 500 of a database that can't store it.
func RefuseTexts(route string, bad func(rune) bool, status int) Fault {
	a := badRequest("Invalid input received: Invalid characters in the request body.")
	if status >= http.StatusInternalServerError {
		a = serverFault()
	}
	return Fault{
		Route: route, Do: Refuse{Status: status, Body: a.raw},
		Match: func(r Request) bool {
			for _, text := range textsOf(r.Body) {
				for _, c := range text {
					if bad(c) {
						return true
					}
				}
			}
			return false
		},
	}
}

// BeyondASCII reports whether r is not ASCII: the usual argument of RefuseTexts.
func BeyondASCII(r rune) bool { return r > unicode.MaxASCII }

// textsOf returns the texts of a body: name, description, and keys and values of the metadata.
func textsOf(body []byte) []string {
	var in map[string]struct {
		Name        string            `json:"name"`
		Description string            `json:"description"`
		Metadata    map[string]string `json:"metadata"`
	}
	if json.Unmarshal(body, &in) != nil {
		return nil
	}
	var out []string
	for _, thing := range in {
		out = append(out, thing.Name, thing.Description)
		for k, v := range thing.Metadata {
			out = append(out, k, v)
		}
	}
	return out
}
