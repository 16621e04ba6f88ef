//go:build openstack

package lab

import (
	"maps"
	"time"

	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/backups"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/osinherit"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/roles"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/users"
	"github.com/stretchr/testify/require"
)

// labAccount is an account for the program: admin of the admin project, and inherited admin of all others.
type labAccount struct {
	*labTest

	rc            map[string]string
	user          string // ID
	admin, member string // IDs of roles
}

func (s *labTest) account(name string) *labAccount {
	s.t.Helper()
	a := &labAccount{labTest: s}
	a.rc = s.user(s.prefix+"-"+name, "admin", s.admin.project)
	pages, err := users.List(s.admin.identity, users.ListOpts{Name: a.rc["OS_USERNAME"]}).AllPages(s.ctx())
	require.NoError(s.t, err)
	found, err := users.ExtractUsers(pages)
	require.NoError(s.t, err)
	require.Len(s.t, found, 1)
	a.user, a.admin, a.member = found[0].ID, s.role("admin"), s.role("member")
	a.inherit(true)
	return a
}

// settings returns the account's OS_* variables instead of those of the test's usual account, and the given settings.
func (a *labAccount) settings(more map[string]string) map[string]string {
	all := map[string]string{}
	for name := range a.service {
		all[name] = ""
	}
	maps.Copy(all, a.rc)
	maps.Copy(all, more)
	return all
}

// in returns the account's client in a project of the test.
func (a *labAccount) in(project string) *labClient {
	a.t.Helper()
	rc := maps.Clone(a.rc)
	rc["OS_PROJECT_NAME"] = a.prefix + "-" + project
	rc["OS_PROJECT_DOMAIN_ID"], rc["OS_PROJECT_DOMAIN_NAME"], rc["OS_DOMAIN_NAME"] = a.labTest.admin.domain, "", ""
	return a.login(rc)
}

// inherit gives the account the inherited role admin in every project of the domain, or takes it away.
func (a *labAccount) inherit(gives bool) {
	a.t.Helper()
	if gives {
		require.NoError(a.t, osinherit.Assign(a.ctx(), a.labTest.admin.identity, a.admin, osinherit.AssignOpts{UserID: a.user, DomainID: a.labTest.admin.domain}).ExtractErr())
		return
	}
	require.NoError(a.t, osinherit.Unassign(a.ctx(), a.labTest.admin.identity, a.admin, osinherit.UnassignOpts{UserID: a.user, DomainID: a.labTest.admin.domain}).ExtractErr())
}

// demote makes the account a member of the admin project instead of admin, or reverts that.
func (a *labAccount) demote(is bool) {
	a.t.Helper()
	gets, loses := a.admin, a.member
	if is {
		gets, loses = a.member, a.admin
	}
	opts := roles.AssignOpts{UserID: a.user, ProjectID: a.labTest.admin.project}
	require.NoError(a.t, roles.Assign(a.ctx(), a.labTest.admin.identity, gets, opts).ExtractErr())
	require.NoError(a.t, roles.Unassign(a.ctx(), a.labTest.admin.identity, loses, roles.UnassignOpts(opts)).ExtractErr())
}

// tenantDeletes lets a tenant delete all backups of one volume that Cinder allows. They are recorded as lost, and a new chain
// begins.
func (p *labTroubles) tenantDeletes() {
	p.t.Helper()
	volume := p.servers[0].Volumes[0]
	began := time.Now()
	p.until("the tenant has deleted the volume's newest restore points", 2*time.Minute, func() bool {
		for _, b := range p.watch() {
			if b.VolumeID == volume && b.Status == "available" && b.CreatedAt.Before(began) {
				_ = backups.Delete(p.ctx(), p.acme.volume, b.ID).ExtractErr() // refused while it has dependents
			}
		}
		return p.count("volume_id = $1 AND state = 'lost'", volume) > 0
	})
	for _, r := range p.records("volume_id = $1 AND state = 'lost'", volume) {
		require.False(p.t, p.seen[r.BackupID].gone.IsZero(), "%s is recorded as lost, and Cinder has it", r.BackupName)
		p.t.Logf("deleted by the tenant: %s %s, %s: %s", r.Kind, r.BackupName, r.Reason, r.ReasonText)
	}
	p.renewed("after a tenant deleted backups")
	p.doctor("after a tenant deleted backups").requireAgreement(p.labProgram)
}

// takesRoleAway takes the role away in all projects but one, where the account becomes a member: the listings of all projects
// get shorter without an error. The program must not conclude anything from that.
func (p *labTroubles) takesRoleAway() {
	p.t.Helper()
	lost := p.count("state = 'lost'")
	p.account.inherit(false)
	p.account.demote(true)
	given := false
	give := func() {
		if !given {
			given = true
			p.account.demote(false)
			p.account.inherit(true)
		}
	}
	p.t.Cleanup(give)
	p.during(20 * time.Second)
	found := p.doctor("without our role")
	require.False(p.t, found.has("cloud", "ok: "), "%v", found["cloud"])
	p.during(20 * time.Second)
	require.Equal(p.t, lost, p.count("state = 'lost'"), "records of backups that the listings did not show")
	give()
	p.renewed("after our role was given back")
	require.Equal(p.t, lost, p.count("state = 'lost'"))
}
