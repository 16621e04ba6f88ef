package backup

// A Quota is one of Cinder's limits on a project: -1 is none, 0 is nothing.
type Quota struct {
	Limit    int `json:"limit" desc:"-1: unlimited, 0: none allowed"`
	InUse    int `json:"in_use" desc:"used now"`
	Reserved int `json:"reserved" desc:"promised to what is being made"`
}

// Used is how much of it nothing else can have.
func (q Quota) Used() int { return q.InUse + q.Reserved }

// A Member is a user with a role in a project, directly, through a group, or inherited.
type Member struct {
	UserID, Name string
	Email        string // as Keystone has it: nobody looked whether it is an address
}
