package api

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"
	"github.com/rs/zerolog"
)

// QueuesPath is the path of [Deps].Queues. The handler gets the unchanged path, for everything below it too.
const QueuesPath = "/queues"

// queuesData is the prefix of the requests that an open queue page sends every few seconds.
const queuesData = QueuesPath + "/api/"

// queues returns the queue page for clients with the token. It allows only GET and HEAD, although the page has other methods, and
// rejects cross-origin requests.
func queues(token string, page http.Handler) echo.HandlerFunc {
	origin := http.NewCrossOriginProtection()
	return func(c echo.Context) error {
		request, header := c.Request(), c.Response().Header()
		if err := origin.Check(request); err != nil {
			return echo.NewHTTPError(http.StatusForbidden, err.Error())
		}
		switch given, is := presented(request); {
		case !is:
			return signIn(header)
		case !same(given, token):
			zerolog.Ctx(request.Context()).Warn().Str("remote", request.RemoteAddr).Msg("sign-in to the queue page refused")
			return signIn(header)
		}
		if request.Method != http.MethodGet && request.Method != http.MethodHead {
			header.Set(echo.HeaderAllow, "GET, HEAD")
			return echo.NewHTTPError(http.StatusMethodNotAllowed, "the queue page is read-only")
		}
		page.ServeHTTP(c.Response(), request)
		return nil
	}
}

// presented returns the token of a request: the password of any user (basic auth), or a bearer token.
func presented(request *http.Request) (token string, is bool) {
	if _, password, basic := request.BasicAuth(); basic {
		return password, true
	}
	scheme, token, _ := strings.Cut(request.Header.Get(echo.HeaderAuthorization), " ")
	return token, strings.EqualFold(scheme, "Bearer")
}

// same compares in constant time, which also hides the token's length.
func same(given, token string) bool {
	a, b := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(token))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

func signIn(header http.Header) error {
	header.Set(echo.HeaderWWWAuthenticate, `Basic realm="Staffeln queues"`)
	return echo.NewHTTPError(http.StatusUnauthorized, "sign in with the token as password, or as bearer token")
}
