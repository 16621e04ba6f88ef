package openstack

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"

	"staffeln/backup"
)

const (
	// leastPage is the smallest page that is asked for: what a cloud can't answer
	// then it can't answer at all.
	leastPage = 10
	// pagesBeforeGrowth is how many full pages in a row must come before one of
	// twice the size is tried again.
	pagesBeforeGrowth = 20
)

// pageSizes remembers, by list, how large a page the cloud can answer: a Nova with
// many cells, or a proxy that gives up early, answers small ones alone. It may be
// used by many goroutines.
type pageSizes struct {
	mu    sync.Mutex
	known map[string]pageSize // by the list's key; those that are full size are not in it
}

type pageSize struct{ size, good int }

// of returns the size of the next page of a list.
func (k *pageSizes) of(key string, full int) int {
	k.mu.Lock()
	defer k.mu.Unlock()
	if p, ok := k.known[key]; ok {
		return p.size
	}
	return full
}

// failed halves the pages of a list after one of this size was not answered.
func (k *pageSizes) failed(key string, size int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.known == nil {
		k.known = map[string]pageSize{}
	}
	if p, ok := k.known[key]; !ok || p.size >= size {
		k.known[key] = pageSize{size: max(size/2, leastPage)}
	}
}

// answered counts a full page of this size.
func (k *pageSizes) answered(key string, size, full int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	p, ok := k.known[key]
	if !ok || p.size != size {
		return
	}
	p.good++
	switch {
	case p.good < pagesBeforeGrowth:
		k.known[key] = p
	case 2*p.size >= full:
		delete(k.known, key)
	default:
		k.known[key] = pageSize{size: 2 * p.size}
	}
}

// tooLarge reports whether a page was perhaps not answered because of its size: it
// took too long, or broke what had to make it.
func tooLarge(err error) bool {
	var fault *backup.CloudError
	if !errors.As(err, &fault) || fault.Meaning == backup.MeansThrottled {
		return false
	}
	codes := []int{http.StatusInternalServerError, http.StatusBadGateway, http.StatusGatewayTimeout, http.StatusRequestTimeout, http.StatusRequestEntityTooLarge}
	return slices.Contains(codes, fault.Status) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, errTooLong)
}
