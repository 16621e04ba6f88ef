//go:build openstack

package lab

import (
	"maps"
	"strings"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/quotasets"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/projects"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/roles"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/tokens"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/users"
	"github.com/stretchr/testify/require"
)

// labClient is a plain OpenStack client of one user in one project: a tenant or the administrator.
type labClient struct {
	*labTest

	project                   string // ID
	domain                    string // ID of the project's domain
	compute, volume, identity *gophercloud.ServiceClient
	refused                   map[string]error // deletions that were refused while it removed everything
	left                      bool             // the project is deleted
}

// The lowest microversions that support what the tests use: servers without network, metadata of backups.
const (
	labComputeVersion = "2.37"
	labVolumeVersion  = "3.43"
)

func (s *labTest) login(rc map[string]string) *labClient {
	s.t.Helper()
	or := func(names ...string) string {
		for _, n := range names {
			if rc[n] != "" {
				return rc[n]
			}
		}
		return ""
	}
	provider, err := openstack.AuthenticatedClient(s.ctx(), gophercloud.AuthOptions{
		IdentityEndpoint: rc["OS_AUTH_URL"], Username: rc["OS_USERNAME"], Password: rc["OS_PASSWORD"], AllowReauth: true,
		DomainName: or("OS_USER_DOMAIN_NAME", "OS_DOMAIN_NAME"), DomainID: rc["OS_USER_DOMAIN_ID"],
		Scope: &gophercloud.AuthScope{
			ProjectName: rc["OS_PROJECT_NAME"], DomainName: or("OS_PROJECT_DOMAIN_NAME", "OS_DOMAIN_NAME"), DomainID: rc["OS_PROJECT_DOMAIN_ID"],
		},
	})
	require.NoError(s.t, err, "log in as %s", rc["OS_USERNAME"])
	h := &labClient{labTest: s}
	at := gophercloud.EndpointOpts{Region: rc["OS_REGION_NAME"], Availability: gophercloud.Availability(strings.TrimSuffix(or("OS_INTERFACE"), "URL"))}
	for _, service := range []struct {
		to      **gophercloud.ServiceClient
		make    func(*gophercloud.ProviderClient, gophercloud.EndpointOpts) (*gophercloud.ServiceClient, error)
		version string
	}{
		{&h.compute, openstack.NewComputeV2, labComputeVersion},
		{&h.volume, openstack.NewBlockStorageV3, labVolumeVersion},
		{&h.identity, openstack.NewIdentityV3, ""},
	} {
		client, err := service.make(provider, at)
		require.NoError(s.t, err)
		client.Microversion = service.version
		*service.to = client
	}
	token, ok := provider.GetAuthResult().(tokens.CreateResult)
	require.True(s.t, ok)
	in, err := token.ExtractProject()
	require.NoError(s.t, err)
	h.project, h.domain = in.ID, in.Domain.ID
	return h
}

// tenant creates a project with a member and returns the member's client. The end of the test deletes the user and the project
// with everything in it.
func (s *labTest) tenant(name string) *labClient {
	s.t.Helper()
	name = s.prefix + "-" + name
	project, err := projects.Create(s.ctx(), s.admin.identity, projects.CreateOpts{Name: name, DomainID: s.admin.domain}).Extract()
	require.NoError(s.t, err)
	var h *labClient
	remains := false // the project still contains something
	s.t.Cleanup(func() {
		if remains {
			s.t.Errorf("project %s not removed: it still contains resources that could not be removed", name)
			return
		}
		if h != nil && h.left {
			return
		}
		if err := quotasets.Delete(s.ctx(), s.admin.volume, project.ID).ExtractErr(); err != nil {
			s.t.Errorf("remove quotas of project %s: %v", name, err)
		}
		if err := projects.Delete(s.ctx(), s.admin.identity, project.ID).ExtractErr(); err != nil {
			s.t.Errorf("remove project %s: %v", name, err)
		}
	})
	rc := s.user(name, "member", project.ID)
	rc["OS_PROJECT_NAME"] = name
	rc["OS_PROJECT_DOMAIN_ID"], rc["OS_PROJECT_DOMAIN_NAME"], rc["OS_DOMAIN_NAME"] = s.admin.domain, "", ""
	h = s.login(rc)
	s.t.Cleanup(func() {
		if h.left {
			s.admin.tidyLeft(project.ID)
			return
		}
		remains = true
		h.tidy()
		remains = false
	})
	return h
}

// leave deletes the tenant's servers and volumes, and then the project. Cinder keeps the backups.
func (h *labClient) leave() {
	h.t.Helper()
	h.tidyServers()
	h.tidyVolumes()
	require.NoError(h.t, quotasets.Delete(h.ctx(), h.admin.volume, h.project).ExtractErr())
	require.NoError(h.t, projects.Delete(h.ctx(), h.admin.identity, h.project).ExtractErr())
	h.left = true
}

// user creates a user with one role in one project. It returns the administrator's OS_* variables with the user's name and
// password.
func (s *labTest) user(name, role, project string) map[string]string {
	s.t.Helper()
	const password = "made-up-4-a-test"
	user, err := users.Create(s.ctx(), s.admin.identity, users.CreateOpts{Name: name, Password: password, DomainID: s.admin.domain}).Extract()
	require.NoError(s.t, err)
	s.t.Cleanup(func() {
		if err := users.Delete(s.ctx(), s.admin.identity, user.ID).ExtractErr(); err != nil {
			s.t.Errorf("remove user %s: %v", name, err)
		}
	})
	require.NoError(s.t, roles.Assign(s.ctx(), s.admin.identity, s.role(role), roles.AssignOpts{UserID: user.ID, ProjectID: project}).ExtractErr())
	rc := maps.Clone(s.labRun.admin)
	rc["OS_USERNAME"], rc["OS_PASSWORD"] = name, password
	rc["OS_USER_DOMAIN_ID"], rc["OS_USER_DOMAIN_NAME"] = s.admin.domain, ""
	return rc
}

// role returns the ID of a role.
func (s *labTest) role(name string) string {
	s.t.Helper()
	pages, err := roles.List(s.admin.identity, roles.ListOpts{Name: name}).AllPages(s.ctx())
	require.NoError(s.t, err)
	found, err := roles.ExtractRoles(pages)
	require.NoError(s.t, err)
	require.Len(s.t, found, 1, "roles named %s", name)
	return found[0].ID
}

// setQuota sets the number of backups in the project's quota.
func (h *labClient) setQuota(backups int) {
	h.t.Helper()
	_, err := quotasets.Update(h.ctx(), h.admin.volume, h.project, quotasets.UpdateOpts{Backups: &backups}).Extract()
	require.NoError(h.t, err)
}
