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
	// minPage is the smallest page that is requested. A cloud that can't return it can't return the list at all.
	minPage = 10
	// pagesBeforeGrowth is how many full pages in a row must succeed before the page size is doubled again.
	pagesBeforeGrowth = 20
)

// pageSizes stores, for each list, how large a page the cloud can return. A Nova with many cells, or a proxy with a short
// timeout, may only return small ones. It is safe for concurrent use.
type pageSizes struct {
	mu    sync.Mutex
	known map[string]pageSize // by the list's key; lists at full size have no entry
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

// failed halves the page size of a list after a page of this size failed.
func (k *pageSizes) failed(key string, size int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.known == nil {
		k.known = map[string]pageSize{}
	}
	if p, ok := k.known[key]; !ok || p.size >= size {
		k.known[key] = pageSize{size: max(size/2, minPage)}
	}
}

// succeeded counts a full page of this size.
func (k *pageSizes) succeeded(key string, size, full int) {
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

// tooLarge reports whether a page may have failed because of its size: it took too long, or it broke the server.
func tooLarge(err error) bool {
	var fault *backup.CloudError
	if !errors.As(err, &fault) || fault.Meaning == backup.MeansThrottled {
		return false
	}
	codes := []int{http.StatusInternalServerError, http.StatusBadGateway, http.StatusGatewayTimeout, http.StatusRequestTimeout, http.StatusRequestEntityTooLarge}
	return slices.Contains(codes, fault.Status) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, errTooLong)
}
