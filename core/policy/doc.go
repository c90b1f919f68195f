// Package policy decides who may do what, in the language of oslo.policy:
// rules such as `rule:admin_or_owner and not role:reader`, with defaults that
// an operator may override one by one in a policy.yaml or policy.json and in
// the files of policy.d, without a restart.
//
// A rule is made of checks joined by and, or, not and parentheses:
//
//	@, !                     everybody, nobody
//	role:NAME                the caller has a role, in upper or lower case
//	rule:NAME                another rule
//	user_id:%(user_id)s      an attribute of the caller, compared with one of
//	                         the object or with a text
//	'vm':%(server_type)s     a text compared with an attribute of the object
//	http://server/path       what the operator's server answers; also https
//
// Whatever is not known denies: an attribute, a rule, a kind of check, the
// answer of a server that fails.
package policy
