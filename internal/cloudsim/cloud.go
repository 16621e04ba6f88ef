package cloudsim

import (
	"sync"
	"time"
)

// Options configure the simulated cloud. The zero value works.
type Options struct {
	// Now is the cloud's clock; nil is the system clock. It is called with the cloud's lock held.
	Now func() time.Time
	// Seed makes the identifiers reproducible; 0 makes random ones.
	Seed uint64
	// Password of the user staffeln; empty is "staffeln".
	Password string
	// Region of the catalog; empty is "RegionOne".
	Region string
	// TokenLife is the lifetime of tokens; 0 is an hour.
	TokenLife time.Duration
	// BackupTime returns how long the backup of a volume of this size in GiB takes; nil is two seconds.
	BackupTime func(sizeGiB int) time.Duration
	// DeleteTime returns how long the deletion of a backup of this size takes; nil is one second.
	DeleteTime func(sizeGiB int) time.Duration
	// RestoreTime returns how long a restore takes; nil is BackupTime.
	RestoreTime func(sizeGiB int) time.Duration
	// VolumeTime is how long volumes are in creating, deleting or extending, and servers in BUILD; 0 ends at the next request.
	VolumeTime time.Duration
	// MaxLimit is the largest page of Nova and Cinder; 0 is 1000, the default of both.
	MaxLimit int
	// Release is Zed, Epoxy or Gazpacho; empty is Zed.
	Release string
	// KeystoneMaxLimit is Keystone's max_db_limit, at which releases newer than Zed truncate their lists; 0 is 1000.
	KeystoneMaxLimit int
	// BackupMaxOperations is how many creations and restores one cinder-backup runs at once; the others wait in creating or
	// restoring. 0 is 15 in Gazpacho and unlimited before, -1 is unlimited.
	BackupMaxOperations int
	// VolumeMinor and ComputeMinor are the highest microversions offered, 3.x and 2.x. 0 is the release's: 70 and 93 in Zed, 71
	// and 100 in Epoxy, 71 and 103 in Gazpacho.
	VolumeMinor, ComputeMinor int
	// Backups and BackupGigabytes are the quota of projects without their own; 0 is 500 and 10000, -1 is unlimited.
	Backups, BackupGigabytes int
	// RaceTwoPosts lets a second creation for a volume succeed within RaceWindow of the first. Cinder's check is not atomic: nine
	// times in ten, two simultaneous requests are both accepted (measured).
	RaceTwoPosts bool
	// RaceWindow is the longest interval between requests that count as simultaneous; 0 is a second.
	RaceWindow time.Duration
	// LockoutAttempts is Keystone's lockout_failure_attempts: an account is locked after so many failed logins in a row; 0 is
	// never.
	LockoutAttempts int
	// LockoutTime is Keystone's lockout_duration; 0 is 30 minutes.
	LockoutTime time.Duration
	// CinderSkew is how far Cinder's clock is ahead of the cloud's clock; SetCinderSkew changes it.
	CinderSkew time.Duration
	// SecretNewDefaults is Barbican's enforce_new_defaults: the role member may use the project's secrets.
	SecretNewDefaults bool
}

// Fixed returns a function for a duration that does not depend on the size.
func Fixed(d time.Duration) func(sizeGiB int) time.Duration {
	return func(int) time.Duration { return d }
}

// Cloud is one simulated OpenStack. It is safe for concurrent use.
type Cloud struct {
	mu   sync.Mutex
	opt  Options
	ids  *identifiers
	at   time.Time // the time of the job that runs or the request that is handled
	jobs jobHeap
	seq  uint64 // of jobs and events

	domains     map[string]*domain
	groups      map[string]*group
	projects    map[string]*project
	users       map[string]*user
	userOrder   []string
	roles       []*role
	assignments []assignment
	tokens      map[string]*token

	servers  *table[server]
	volumes  *table[volume]
	backups  *table[backup]
	byVolume map[string]map[string]*backup // backups by volume ID
	children map[string]map[string]*backup // backups by parent ID
	runs     map[string]*run               // what cinder-backup is doing, by backup ID
	secrets  map[string]*secret
	rights   map[[2]string]bool // by user and project: overrides of the right to secrets
	messages []message
	usage    map[string]*usage

	backupUp       bool
	backupSeen     time.Time
	keyManagerUp   bool
	keyManager     bool // there were secrets: the catalog has Barbican
	targetBroken   string
	skew           time.Duration // of Cinder's clock
	zones          []string      // availability zones with a cinder-backup; empty: all
	operations     map[string]*operations
	movedServices  map[string]moved // services that have moved
	leftOut        map[string]bool
	alsoAt         map[string]string
	older          map[string]int  // the highest microversions of second API nodes
	requestNumbers map[service]int // number of requests so far
	deleteCheck    string          // URL in Cinder's policy

	faults     []*activeFault
	journal    []Event
	listLimit  int  // Keystone's list_limit; 0: none
	journalOff bool // while the cloud is being seeded, no events are written to the journal
	counts     map[string]int
	unknown    []string

	cast Cast
}

// Cast has the IDs of the initial objects of every cloud.
type Cast struct {
	Domain       string // the domain Default
	AdminProject string // the project admin
	Service      string // the user staffeln: admin of the project admin, and admin inherited in every project of the domain
	Password     string // of the user staffeln
	Admin        string // the user admin: admin of the project admin only; password "admin"
}

// New makes a cloud with its initial objects: the domain Default, the project admin, the roles admin, member, reader and
// creator, and the users admin and staffeln.
func New(opt Options) *Cloud {
	opt = withDefaults(opt)
	c := &Cloud{
		opt:            opt,
		ids:            newIdentifiers(opt.Seed),
		domains:        map[string]*domain{},
		groups:         map[string]*group{},
		projects:       map[string]*project{},
		users:          map[string]*user{},
		tokens:         map[string]*token{},
		servers:        newTable(func(s *server) string { return s.ID }, func(s *server) string { return s.Project }),
		volumes:        newTable(func(v *volume) string { return v.ID }, func(v *volume) string { return v.Project }),
		backups:        newTable(func(b *backup) string { return b.ID }, func(b *backup) string { return b.Project }),
		byVolume:       map[string]map[string]*backup{},
		children:       map[string]map[string]*backup{},
		runs:           map[string]*run{},
		secrets:        map[string]*secret{},
		rights:         map[[2]string]bool{},
		usage:          map[string]*usage{},
		backupUp:       true,
		keyManagerUp:   true,
		counts:         map[string]int{},
		operations:     map[string]*operations{},
		movedServices:  map[string]moved{},
		leftOut:        map[string]bool{},
		alsoAt:         map[string]string{},
		requestNumbers: map[service]int{},
		older:          map[string]int{},
	}
	c.at, c.skew = c.opt.Now(), c.opt.CinderSkew
	c.backupSeen = c.at
	c.journalOff = true
	c.domains["default"] = &domain{ID: "default", Name: "Default"}
	for _, name := range []string{"admin", "member", "reader", "creator", "service"} {
		c.roles = append(c.roles, &role{ID: c.ids.hex(), Name: name})
	}
	if c.newerThanZed() {
		c.roles = append(c.roles, &role{ID: c.ids.hex(), Name: "manager"})
	}
	c.cast = Cast{Domain: "default", Password: opt.Password}
	c.cast.AdminProject = c.addProject("default", "admin").ID
	c.cast.Admin = c.addUser("default", "admin", "admin", "root@ops.example").ID
	c.cast.Service = c.addUser("default", "staffeln", opt.Password, "staffeln@ops.example").ID
	c.grant(assignment{user: c.cast.Admin, project: c.cast.AdminProject, role: "admin"})
	c.grant(assignment{user: c.cast.Service, project: c.cast.AdminProject, role: "admin"})
	c.grant(assignment{user: c.cast.Service, domain: "default", role: "admin"})
	c.journalOff = false
	return c
}

func withDefaults(opt Options) Options {
	opt = atRelease(opt)
	if opt.Now == nil {
		opt.Now = time.Now //nolint:forbidigo // the program's own clock if none is given
	}
	if opt.Password == "" {
		opt.Password = "staffeln"
	}
	if opt.Region == "" {
		opt.Region = "RegionOne"
	}
	setDefault(&opt.TokenLife, time.Hour)
	setDefault(&opt.RaceWindow, time.Second)
	setDefault(&opt.LockoutTime, 30*time.Minute)
	setDefault(&opt.MaxLimit, 1000)
	setDefault(&opt.Backups, 500)
	setDefault(&opt.BackupGigabytes, 10000)
	if opt.BackupTime == nil {
		opt.BackupTime = Fixed(2 * time.Second)
	}
	if opt.DeleteTime == nil {
		opt.DeleteTime = Fixed(time.Second)
	}
	if opt.RestoreTime == nil {
		opt.RestoreTime = opt.BackupTime
	}
	return opt
}

func setDefault[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}

// Cast returns the IDs of the initial objects of every cloud.
func (c *Cloud) Cast() Cast { return c.cast }
