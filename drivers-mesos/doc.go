// Package mesos is the place of the driver for Apache Mesos on Ubuntu. There is no driver in it
// yet: the module is here so that its import rules hold from the first line on.
package mesos
