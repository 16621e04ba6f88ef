package backup

// A Quota is one of Cinder's limits on a project: -1 is unlimited, 0 allows nothing.
type Quota struct {
	Limit    int `json:"limit" desc:"-1: unlimited, 0: none allowed"`
	InUse    int `json:"in_use" desc:"used now"`
	Reserved int `json:"reserved" desc:"promised to what is being made"`
}

// Used returns how much of the quota is used or reserved.
func (q Quota) Used() int { return q.InUse + q.Reserved }

// A Member is a user with a role in a project: a direct, a group or an inherited one.
type Member struct {
	UserID, Name string
	Email        string // from Keystone, not validated
}
