// Package e2e tests the whole program in one process: scheduler, queue, worker, records and pages, around a cloudsim with a
// stepped clock. The folders below it test the built program (process), in a browser (browser), under faults (faults), at
// every crash point (crash) and against a real OpenStack (lab); what several of them need is in rig.
package e2e
