// Package backup holds the domain types of Staffeln and its decisions.
//
// [Protect] decides which volumes are protected, [Next] what to do for one volume now, [Admit] which planned backups may
// begin, [Expired] which restore points expire and why each other one is retained, [DeleteRequest.Judgement] whether Cinder may delete a
// backup, and [NextRepair] how a stuck backup is freed. The rest of the package is what these need: volumes, servers,
// records, chains, periods, policies, and the closed set of reasons.
//
// The package is pure: it has no clock (now is always the first argument), no context, no log, no database, no queue
// and no HTTP. The same input always gives the same result.
package backup
