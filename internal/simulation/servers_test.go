package simulation

// A server is a server of the first day, with its volumes and metadata.
type server struct {
	server, project  string
	sizes            []int // of its volumes, in GiB
	wish, retention  string
	encrypted, never bool // never: without the metadata key
}

// firstDay is the cloud of the first day: 30 servers with 76 volumes; spare has four more volumes.
var firstDay = []server{
	{server: "acme-web-1", project: "acme", sizes: []int{20, 50}, wish: "true"},
	{server: "acme-web-2", project: "acme", sizes: []int{20, 50}, wish: "true"},
	{server: "acme-db-1", project: "acme", sizes: []int{20, 200, 200}, wish: "true", retention: "10d"},
	{server: "acme-db-2", project: "acme", sizes: []int{20, 200, 200}, wish: "TRUE", retention: "2d"},
	{server: "acme-mail", project: "acme", sizes: []int{20, 100}, wish: "true", retention: "1w"},
	{server: "acme-build", project: "acme", sizes: []int{20, 80}, wish: "false"},
	{server: "acme-test", project: "acme", sizes: []int{20, 40, 40}, never: true},
	{server: "globex-web-1", project: "globex", sizes: []int{10, 30}, wish: "true"},
	{server: "globex-web-2", project: "globex", sizes: []int{10, 30}, wish: " true "},
	{server: "globex-db-1", project: "globex", sizes: []int{10, 100, 100}, wish: "true", retention: "3d"},
	{server: "globex-db-2", project: "globex", sizes: []int{10, 100, 100}, wish: "true", retention: "36h"},
	{server: "globex-files", project: "globex", sizes: []int{10, 500, 500}, wish: "true"},
	{server: "globex-lab", project: "globex", sizes: []int{10, 30, 30}, wish: "no"},
	{server: "initech-web-1", project: "initech", sizes: []int{20, 20, 20}, wish: "true"},
	{server: "initech-web-2", project: "initech", sizes: []int{20, 20}, wish: "true", retention: "soon"},
	{server: "initech-db-1", project: "initech", sizes: []int{20, 60, 60}, wish: "true", retention: "2d"},
	{server: "initech-erp", project: "initech", sizes: []int{20, 300, 300}, wish: "true"},
	{server: "initech-print", project: "initech", sizes: []int{10, 10}, never: true},
	{server: "initech-fax", project: "initech", sizes: []int{10, 10}, wish: "ture"},
	{server: "hooli-vault-1", project: "hooli", sizes: []int{10, 10, 10}, wish: "true", encrypted: true},
	{server: "hooli-vault-2", project: "hooli", sizes: []int{10, 10}, wish: "true", retention: "2d", encrypted: true},
	{server: "hooli-web-1", project: "hooli", sizes: []int{20, 20, 20}, wish: "true"},
	{server: "hooli-web-2", project: "hooli", sizes: []int{20, 20}, never: true},
	{server: "hooli-ci", project: "hooli", sizes: []int{20, 20, 20}, wish: "false"},
	{server: "umbrella-web", project: "umbrella", sizes: []int{20, 20}, wish: "true"},
	{server: "umbrella-db", project: "umbrella", sizes: []int{20, 40, 40}, wish: "true", retention: "2d"},
	{server: "umbrella-old", project: "umbrella", sizes: []int{20, 20}, never: true},
	{server: "wonka-web", project: "wonka", sizes: []int{20, 20}, wish: "true"},
	{server: "wonka-db", project: "wonka", sizes: []int{20, 40, 40}, wish: "true"},
	{server: "wonka-oven", project: "wonka", sizes: []int{20, 20, 20}, wish: "false"},
}

// spare are volumes without a server.
var spare = []struct{ name, project string }{{"acme-spare", "acme"}, {"globex-spare", "globex"}, {"initech-spare", "initech"}, {"hooli-spare", "hooli"}}

var projects = []string{"acme", "globex", "initech", "hooli", "umbrella", "wonka"}
