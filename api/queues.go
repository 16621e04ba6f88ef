package api

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"
	"github.com/rs/zerolog"
)

// QueuesPath is where [Deps].Queues is mounted; what lies below it is asked for with the same path.
const QueuesPath = "/queues"

// queuesData is what the page itself asks for, every few seconds.
const queuesData = QueuesPath + "/api/"

// queues shows the page of the queues to whoever knows the token. It answers only what reads, whatever the page could
// do, and nothing that a page of another site made a browser send.
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
			return echo.NewHTTPError(http.StatusMethodNotAllowed, "the page of the queues is read-only")
		}
		page.ServeHTTP(c.Response(), request)
		return nil
	}
}

// presented answers the token of a request: the password of any user, which a browser asks for, or a program's bearer
// token.
func presented(request *http.Request) (token string, is bool) {
	if _, password, basic := request.BasicAuth(); basic {
		return password, true
	}
	scheme, token, _ := strings.Cut(request.Header.Get(echo.HeaderAuthorization), " ")
	return token, strings.EqualFold(scheme, "Bearer")
}

// same compares in a time that tells nothing of the token, its length included.
func same(given, token string) bool {
	a, b := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(token))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

func signIn(header http.Header) error {
	header.Set(echo.HeaderWWWAuthenticate, `Basic realm="Staffeln queues"`)
	return echo.NewHTTPError(http.StatusUnauthorized, "sign in with the token as password, or as bearer token")
}
