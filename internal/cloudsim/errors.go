package cloudsim

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
)

// response is the response to a request. The body is marshalled unless raw already has the bytes.
type response struct {
	status int
	header http.Header
	body   any
	raw    string
}

func ok(body any) response       { return response{status: http.StatusOK, body: body} }
func accepted(body any) response { return response{status: http.StatusAccepted, body: body} }

// fault is an error in the envelope of Nova and Cinder, byte for byte as their Python writes it.
func fault(status int, envelope, message string) response {
	return response{status: status, raw: `{"` + envelope + `": {"code": ` + strconv.Itoa(status) + `, "message": ` + quote(message) + `}}`}
}

func badRequest(message string) response { return fault(http.StatusBadRequest, "badRequest", message) }

func forbidden(message string) response { return fault(http.StatusForbidden, "forbidden", message) }

func notFound(message string) response { return fault(http.StatusNotFound, "itemNotFound", message) }

func notAllowed(rule string) response {
	return forbidden("Policy doesn't allow " + rule + " to be performed.")
}

func volumeNotFound(id string) response { return notFound("Volume " + id + " could not be found.") }
func backupNotFound(id string) response { return notFound("Backup " + id + " could not be found.") }
func serverNotFound(id string) response { return notFound("Instance " + id + " could not be found.") }

// overLimit is Cinder's refusal because of a quota. Its Retry-After of 0 seconds is useless.
func overLimit(message string) response {
	return response{
		status: http.StatusRequestEntityTooLarge,
		header: http.Header{"Retry-After": {"0"}},
		raw:    `{"overLimit": {"code": 413, "message": ` + quote(message) + `, "retryAfter": "0"}}`,
	}
}

func serverFault() response {
	return fault(http.StatusInternalServerError, "computeFault",
		"The server has either erred or is incapable of performing the requested operation.")
}

// noResource is the response of Nova and Cinder to an unknown path or method.
func noResource() response {
	return response{
		status: http.StatusNotFound,
		header: http.Header{"Content-Type": {"text/plain; charset=UTF-8"}},
		raw:    "404 Not Found\n\nThe resource could not be found.\n\n   \n",
	}
}

// unauthorized is the refusal of keystonemiddleware in front of Nova and Cinder.
func unauthorized(base string) response {
	return response{
		status: http.StatusUnauthorized,
		header: http.Header{"Www-Authenticate": {`Keystone uri="` + base + `/identity/v3"`}},
		raw:    `{"error": {"code": 401, "title": "Unauthorized", "message": "The request you have made requires authentication."}}`,
	}
}

// keystoneFault is an error of Keystone itself: compact JSON that ends in a newline.
func keystoneFault(status int, message string) response {
	title := http.StatusText(status)
	return response{status: status, raw: `{"error":{"code":` + strconv.Itoa(status) + `,"message":` + quote(message) + `,"title":` + quote(title) + "}}\n"}
}

func keystoneUnauthorized() response {
	return keystoneFault(http.StatusUnauthorized, "The request you have made requires authentication.")
}

func keystoneNotAllowed(rule string) response {
	return keystoneFault(http.StatusForbidden, "You are not authorized to perform the requested action: "+rule+".")
}

// quote returns a JSON string without Go's HTML escapes.
func quote(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string can always be encoded
	return string(bytes.TrimRight(b.Bytes(), "\n"))
}
