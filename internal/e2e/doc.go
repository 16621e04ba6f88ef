// Package e2e tests the whole program: scheduler, queue, workers and records
// against cloudsim with a stepped clock, and as real processes; with the build
// tag openstack against a real cloud.
package e2e
