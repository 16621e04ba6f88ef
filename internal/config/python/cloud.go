package python

import (
	"fmt"
	"slices"
	"strings"
)

// cloudVariables are the variables of an openrc that this program reads.
var cloudVariables = []string{
	"OS_AUTH_URL", "OS_AUTH_TYPE", "OS_USERNAME", "OS_USER_ID", "OS_PASSWORD", "OS_PASSWORD_FILE",
	"OS_PROJECT_NAME", "OS_PROJECT_ID", "OS_TENANT_NAME", "OS_TENANT_ID",
	"OS_USER_DOMAIN_NAME", "OS_USER_DOMAIN_ID", "OS_PROJECT_DOMAIN_NAME", "OS_PROJECT_DOMAIN_ID",
	"OS_DOMAIN_NAME", "OS_DOMAIN_ID", "OS_DEFAULT_DOMAIN", "OS_REGION_NAME", "OS_INTERFACE", "OS_ENDPOINT_TYPE",
	"OS_CACERT", "OS_CERT", "OS_KEY", "OS_INSECURE", "OS_CLOUD", "OS_CLIENT_CONFIG_FILE",
	// Refused by this program, with the reason.
	"OS_APPLICATION_CREDENTIAL_ID", "OS_APPLICATION_CREDENTIAL_NAME", "OS_APPLICATION_CREDENTIAL_SECRET", "OS_SYSTEM_SCOPE", "OS_TRUST_ID", "OS_TOKEN",
	// Of the HTTP client.
	"http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY",
}

// secretParts are parts of the names of variables whose values are never printed. A proxy's URL may have a password.
var secretParts = []string{"PASSWORD", "SECRET", "TOKEN", "_PROXY"}

// ConvertCloud converts the assignments of an openrc. What this program does not read, and what only a shell could read, is a
// remark.
func ConvertCloud(file string, all []Variable, unread []Unread) (c Conversion) {
	for _, v := range all {
		if !slices.Contains(cloudVariables, v.Name) {
			c.remark(fmt.Sprintf("%s:%d: %s", file, v.Line, v.Name), "no effect in this program, left out")
			continue
		}
		c.Settings = append(c.Settings, Setting{
			Variable: v.Name, Value: v.Value, From: fmt.Sprintf("%s:%d", file, v.Line),
			Secret: slices.ContainsFunc(secretParts, func(part string) bool { return strings.Contains(strings.ToUpper(v.Name), part) }),
		})
	}
	for _, u := range unread {
		if slices.Contains(cloudVariables, u.Variable) {
			c.Remarks = append(c.Remarks, Remark{fmt.Sprintf("%s:%d: %s", file, u.Line, u.Variable), u.Reason, true})
		} else {
			c.remark(fmt.Sprintf("%s:%d", file, u.Line), "left out: "+u.Reason)
		}
	}
	return c
}
