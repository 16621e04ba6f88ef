package openstack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/rs/zerolog"

	"staffeln/backup"
)

// fullPage is the default limit of a page in Nova and Cinder (max_limit, osapi_max_limit). A cloud with a lower limit adds
// links to its pages.
const fullPage = 1000

// A listing is one list that is read in pages.
type listing[T any] struct {
	key   string // of the items in the response, for example "volumes"
	query url.Values
	id    func(T) string
}

// page is one page of a list of Nova or Cinder.
type page[T any] struct {
	items []T
	more  bool // there may be a next page: the response has a link, or this page is full
}

func decodePage[T any](body []byte, key string) (page[T], error) {
	var p page[T]
	var response map[string]json.RawMessage
	if err := json.Unmarshal(body, &response); err != nil {
		return p, err
	}
	items, ok := response[key]
	if !ok {
		return p, fmt.Errorf("the response has no %q", key)
	}
	if err := json.Unmarshal(items, &p.items); err != nil {
		return p, fmt.Errorf("read %s: %w", key, err)
	}
	if links, ok := response[key+"_links"]; ok {
		var l []struct{ Rel string }
		if err := json.Unmarshal(links, &l); err != nil {
			return p, fmt.Errorf("read %s_links: %w", key, err)
		}
		p.more = slices.ContainsFunc(l, func(link struct{ Rel string }) bool { return link.Rel == "next" })
	}
	return p, nil
}

// walk reads l page by page and passes every page to each. base is the request without its query. It stops at an error of
// each. The object of an error names the page that failed.
//
// A next link only shows that there is a next page; its URL is not followed. Behind a proxy that terminates TLS it is
// an http:// URL, and our token is sent only to the endpoint. The marker is the last item of the previous page. If that item
// was deleted meanwhile (Cinder returns 404, Nova 400), the item before it is the marker.
func walk[T any](ctx context.Context, c *Cloud, s *scope, base request, l listing[T], each func([]T) error) error {
	var last []T // the previous page
	for number := 1; ; number++ {
		r := base
		r.object += ", page " + strconv.Itoa(number)
		p, err := nextPage(ctx, c, s, r, l, last)
		if err != nil {
			return err
		}
		if len(p.items) == 0 {
			return nil
		}
		if err := each(p.items); err != nil {
			return err
		}
		if !p.more {
			return nil
		}
		last = p.items
	}
}

// nextPage reads the page after last. A page that may be too large for the cloud is requested again with half the size, and
// the new size is stored.
func nextPage[T any](ctx context.Context, c *Cloud, s *scope, base request, l listing[T], last []T) (page[T], error) {
	for {
		size := c.pages.of(l.key, c.pageSize)
		r := base
		r.large = size > minPage
		p, err := pageOf(ctx, c, s, r, l, last, size)
		if err == nil || !r.large || ctx.Err() != nil || !tooLarge(err) {
			return p, err
		}
		c.pages.failed(l.key, size)
		zerolog.Ctx(ctx).Warn().Err(err).Str("list", l.key).Int("size", size).Msg("page request failed, trying a smaller page")
	}
}

func pageOf[T any](ctx context.Context, c *Cloud, s *scope, base request, l listing[T], last []T, size int) (page[T], error) {
	for marker := len(last) - 1; ; marker-- {
		r := base
		query := url.Values{"limit": {strconv.Itoa(size)}}
		maps.Copy(query, l.query)
		if marker >= 0 {
			r.id = l.id(last[marker])
			query.Set("marker", r.id)
		}
		r.path += "?" + query.Encode()
		var p page[T]
		r.decode = func(body []byte) (err error) {
			p, err = decodePage[T](body, l.key)
			return err
		}
		err := c.do(ctx, s, r)
		if err != nil && marker > 0 && markerGone(err, r.id) {
			continue
		}
		if err != nil {
			return p, err
		}
		// With an older marker the page repeats items of the previous page.
		got := len(p.items)
		if got >= size {
			c.pages.succeeded(l.key, size, c.pageSize)
		}
		seen := map[string]bool{}
		for _, item := range last {
			seen[l.id(item)] = true
		}
		p.items = slices.DeleteFunc(p.items, func(item T) bool { return seen[l.id(item)] })
		if got > 0 && len(p.items) == 0 && p.more {
			return p, r.refuse(s.projectID, backup.MeansUnavailable, "the page repeats the one before")
		}
		p.more = p.more || got >= size
		return p, nil
	}
}

// markerGone reports whether the cloud does not know the marker any more.
func markerGone(err error, marker string) bool {
	var fault *backup.CloudError
	return errors.As(err, &fault) && strings.Contains(fault.Message, marker) &&
		(fault.Meaning == backup.MeansNotFound || fault.Status == http.StatusBadRequest)
}
