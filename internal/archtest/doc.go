// Package archtest holds the tests of the house itself: who imports whom, how long files are, what must not be in them.
// It has no other code, and nobody imports it.
package archtest
