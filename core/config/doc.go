// Package config reads magnum.conf: oslo.config's ini language, with
// upstream's sections, option names and defaults, into one typed struct.
//
// Four files carry it: parse.go knows the language, option.go the kinds of
// value, load.go fills the struct by its tags, config.go and service.go are
// the options themselves. An option nobody knows is never fatal: an
// operator's file has options of libraries we do not have. It is kept and
// listed by Warnings.
package config
