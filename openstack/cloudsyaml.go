package openstack

import (
	"strconv"

	"github.com/gophercloud/gophercloud/v2/openstack/config/clouds"
)

// fromCloudsYAML reads the cloud OS_CLOUD. It passes each value of the environment itself, because clouds.Parse would
// otherwise read the environment of the process.
func (e *environment) fromCloudsYAML() Credentials {
	opts := []clouds.ParseOption{
		clouds.WithCloudName(e.getenv("OS_CLOUD")),
		clouds.WithRegion(e.getenv("OS_REGION_NAME")),
		clouds.WithEndpointType(e.first("OS_INTERFACE", "OS_ENDPOINT_TYPE")),
		clouds.WithCACertPath(e.getenv("OS_CACERT")),
		clouds.WithClientCertPath(e.getenv("OS_CERT")),
		clouds.WithClientKeyPath(e.getenv("OS_KEY")),
	}
	if p := e.password(); p != "" {
		opts = append(opts, clouds.WithPassword(p))
	}
	if file := e.getenv("OS_CLIENT_CONFIG_FILE"); file != "" {
		opts = append(opts, clouds.WithLocations(file))
	}
	if insecure, ok := e.insecure(); ok {
		opts = append(opts, clouds.WithInsecure(insecure))
	}
	auth, endpoint, transport, err := clouds.Parse(opts...)
	if err != nil {
		e.fault("OS_CLOUD: %w: name one that the file has, or another file in OS_CLIENT_CONFIG_FILE", err)
		return Credentials{}
	}
	if auth.ApplicationCredentialID != "" || auth.ApplicationCredentialName != "" || auth.ApplicationCredentialSecret != "" {
		e.fault("clouds.yaml: application credentials %s", errOneProject)
	}
	if auth.TokenID != "" {
		e.fault("clouds.yaml: a token %s", errOneProject)
	}
	c := Credentials{
		authURL:   auth.IdentityEndpoint,
		region:    endpoint.Region,
		iface:     string(endpoint.Availability),
		transport: transport,
	}
	c.user.UserID, c.user.Username, c.user.Password = auth.UserID, auth.Username, auth.Password
	c.user.DomainID, c.user.DomainName = orDefault(auth.DomainID, auth.DomainName)
	if s := auth.Scope; s != nil {
		if s.System || s.TrustID != "" {
			e.fault("clouds.yaml: system scope and trusts %s", errOneProject)
		}
		c.admin.ProjectID, c.admin.ProjectName = s.ProjectID, s.ProjectName
		c.admin.DomainID, c.admin.DomainName = orDefault(s.DomainID, s.DomainName)
	}
	return c.normal()
}

// orDefault returns the domain's ID if both are given, and `default` if neither is, as the openstack client does.
func orDefault(id, name string) (string, string) {
	switch {
	case id != "":
		return id, ""
	case name != "":
		return "", name
	}
	return "default", ""
}

// insecure returns the value of OS_INSECURE and whether it is set.
func (e *environment) insecure() (insecure, set bool) {
	v := e.getenv("OS_INSECURE")
	if v == "" {
		return false, false
	}
	insecure, err := strconv.ParseBool(v)
	if err != nil {
		e.fault("OS_INSECURE: %.20q: want true or false", v)
		return false, false
	}
	return insecure, true
}
