// Package api is the HTTP server: the delete check for Cinder, health, metrics and the queue page.
//
// It gets the database and the queue page from its caller. It does not import the queue or the cloud.
package api
