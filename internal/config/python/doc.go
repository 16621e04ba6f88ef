// Package python reads the configuration of the Python Staffeln, staffeln.conf and an openrc, and converts it into the
// environment file of this program.
package python
