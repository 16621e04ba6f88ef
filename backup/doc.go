// Package backup holds Staffeln's words and its two decisions.
//
// [Next] says what is to be done for one volume now; [Expired] says which
// restore points go and why each other one stays. Everything else in this
// package is what the two need: volumes, servers, records, chains, periods,
// policies, and the closed set of reasons.
//
// Values in, values out: the package knows no clock (now is always the first
// argument), no context, no log, no database, no queue and no HTTP. The same
// input gives the same answer for ever.
package backup
