package archtest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const sample = `# Architecture
## The import table

Some words.

| package | may import of ours | of others | never |
|---|---|---|---|
| ` + "`backup`" + ` | – | stdlib | time.Now, rand, os |
| internal/invariants, report | backup | stdlib | the same |
| openstack | backup, internal/telemetry | gophercloud v2 | pgx, asynq |
| internal/cloudsim | – | stdlib | gophercloud, anything of ours (it reads the API by itself) |
| tasks | internal/telemetry | asynq, go-redis | pgx |
| cmd/staffeln | everything | cobra | be imported |

## Another heading

| a | b | c | d |
`

func TestImportTableIsParsed(t *testing.T) {
	rules, err := parseTable(sample)
	require.NoError(t, err)
	require.Len(t, rules, 7)
	assert.Equal(t, packageRule{name: "report", allowed: []string{"staffeln/backup"}, never: []string{"crypto/rand", "math/rand", "math/rand/v2", "os", "os/exec", "os/signal"}}, rules[2])
	assert.Equal(t, packageRule{name: "cmd/staffeln", everything: true, notImported: true, allowed: []string{"github.com/spf13/cobra"}}, rules[6])

	for _, broken := range []string{
		"no heading",
		heading + "\n\nno table\n",
		heading + "\n| a | b | left-pad | – |\n",
		heading + "\n| a | b | stdlib | being late |\n",
	} {
		_, err := parseTable(broken)
		require.Error(t, err, broken)
	}
}

func TestImportsAreCheckedAgainstTable(t *testing.T) {
	rules, err := parseTable(sample)
	require.NoError(t, err)
	for _, c := range []struct {
		from, imported string
		admitted       bool
	}{
		{"staffeln/backup", "strings", true},
		{"staffeln/backup", "os", false},
		{"staffeln/backup", "math/rand/v2", false},
		{"staffeln/backup", "staffeln/backup/chain", true},
		{"staffeln/backup", "staffeln/openstack", false},
		{"staffeln/internal/invariants", "staffeln/backup", true},
		{"staffeln/internal/invariants", "github.com/rs/zerolog", false},
		{"staffeln/openstack", "github.com/gophercloud/gophercloud/v2/openstack", true},
		{"staffeln/openstack", "staffeln/internal/cloudsim", false},
		{"staffeln/openstack", "staffeln/internal/telemetry", true},
		{"staffeln/internal/cloudsim", "net/http", true},
		{"staffeln/internal/cloudsim", "staffeln/internal/telemetry", false},
		{"staffeln/tasks", "github.com/hibiken/asynq", true},
		{"staffeln/tasks", "github.com/hibiken/asynqmon", false},
		{"staffeln/tasks", "github.com/jackc/pgx/v5/pgxpool", false},
		{"staffeln/tasks", "staffeln/cmd/staffeln", false},
		{"staffeln/cmd/staffeln", "staffeln/internal/cloudsim", true},
	} {
		rule, ok := ruleOf(rules, c.from)
		require.True(t, ok, c.from)
		err := rule.admits(rules, c.imported)
		assert.Equal(t, c.admitted, err == nil, "%s imports %s: %v", c.from, c.imported, err)
	}
}
