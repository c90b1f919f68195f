// Package devcloud is the embedded cloud: the OpenStack calls we make,
// answered over real HTTP on one listener, with gophercloud and the
// openstack command as its clients. It is a test double with honest edges:
// shapes, statuses and error bodies are those of the real services, and what
// it does not do it refuses with 501 and says so.
//
// Nothing is kept: a cloud lives in memory from Start to Close.
//
//	cloud.go      the listener and its life
//	account.go    who there is: domains, projects, users, roles, trusts
//	token.go      what they authenticate with
//	keystone*.go  the identity API over both
//	heat*.go      the orchestration API, which evaluates templates
//	the others    one file for each service's API
//
// Tests bend it: Faults makes any service fail, stall or lose an answer; the
// Add methods put more things into it.
package devcloud
