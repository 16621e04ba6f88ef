// Package backup holds the domain types of Staffeln and its two decisions.
//
// [Next] decides what to do for one volume now. [Expired] decides which restore points expire, and why each other one
// is retained. The rest of the package is what these two need: volumes, servers, records, chains, periods, policies,
// and the closed set of reasons.
//
// The package is pure: it has no clock (now is always the first argument), no context, no log, no database, no queue
// and no HTTP. The same input always gives the same result.
package backup
