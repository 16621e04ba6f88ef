package openstack

import (
	"slices"
	"testing"
	"time"

	"staffeln/backup"
)

// An env is a cloud on which the contract is tested: cloudsim always, and a real OpenStack with the build tag openstack.
type env struct {
	cloud   *Cloud
	connect func(t *testing.T, rc map[string]string) *Cloud
	client  *client
	home    string // the project in which volumes are made
	away    string // another project in which we have a role; nothing is made in it
	// mayChange allows making projects and users and changing quotas.
	mayChange bool
	// release is the cloud's release: zed, epoxy or gazpacho.
	release string
	real    bool // not a simulation
	tag     backup.Tag
	now     func() time.Time // the cloud's clock, as far as it is known
}

// contract is the behaviour that our code relies on. Cloudsim and a real OpenStack must behave the same.
var contract = []behaviour{
	{"discovery finds a server and its volume, with project and metadata", false, discovery},
	{"full and incremental are made, named, tagged and removed leaf first", false, chainLifecycle},
	{"an incremental without a parent is refused", false, noParent},
	{"a backup of a volume in backing-up is refused, and so is the deletion of a backup in creating", false, backupInProgress},
	{"an object that does not exist is not found", false, notFound},
	{"small pages return the same as large ones", false, smallPages},
	{"nothing is deleted with a token of another project", false, wrongProject},
	{"an errored backup blocks incrementals until it is deleted", false, erroredBlocks},
	{"a backup can be removed by force", false, force},
	{"a deleted project is distinguished from one in which we have no role", false, projectGone},
	{"a project in which we have no role is reported", true, noRole},
	{"a user without the role admin gets an error, not the list of one project", true, notAdmin},
	{"an exceeded quota is reported", true, overQuota},
	{"members of a project are returned with their addresses, both direct and through a group", true, membersOfProject},
	{"a token identifies its owner until it is revoked", false, tokenHolder},
	{"the backups of a deleted project are removed leaf first, and only after its deletion", true, orphanPurged},
	{"an incremental uses the newest backup as its parent, or is refused, by release", false, parentChosen},
	{"Keystone lists projects and users in pages, by release", true, keystonePages},
	{"roles and their assignments have no pages", false, otherLists},
	{"a deleted server is a 404 by ID that names it", false, serverGone},
	{"a project that was deleted with its backups is a 404 by ID, and so are they", true, purged},
}

// onlyReal is behaviour that the simulation does not have yet, or can't have.
var onlyReal = []behaviour{
	{"a changed password ends tokens and logins", true, passwordChanged},
	{"a shelved server is listed with its volumes, which are reserved and not attached", false, shelved},
	{"a server in the middle of a resize is listed with its volumes", false, resized},
	{"an incremental on a broken parent is accepted and fails", false, brokenParent},
	{"a restore into a given volume brings all bytes back, into a new one by release", false, restoredBothWays},
}

type behaviour struct {
	behaviour string
	changes   bool // makes projects or users, or changes quotas
	check     func(t *testing.T, e *env)
}

func testContract(t *testing.T, e *env) {
	t.Helper()
	all := contract
	if e.real {
		all = append(slices.Clone(contract), onlyReal...)
	}
	for _, c := range all {
		t.Run(c.behaviour, func(t *testing.T) {
			if c.changes && !e.mayChange {
				t.Skip("makes projects or users, or changes quotas: set E2E_ALLOW_PROJECTS=true to allow it")
			}
			c.check(t, e)
		})
	}
}
