// Package e2e tests the whole program in one process (scheduler, queue, worker, records and pages) with a cloudsim and a
// stepped clock. The packages below it test the built program (process), in a browser (browser), under faults (faults), at
// every crash point (crash) and with a real OpenStack (lab). Package deploy tests the files for deployments. Package rig is
// their shared part.
package e2e
