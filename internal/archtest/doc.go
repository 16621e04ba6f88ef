// Package archtest has the tests of the code base itself: which package imports which, file lengths, and what files must not
// contain. It has no other code, and nobody imports it.
package archtest
