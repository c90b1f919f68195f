// Package policy decides who may do what, in the language of oslo.policy:
// rules such as `rule:admin_or_owner and not role:reader`, with defaults that
// an operator may override one by one in a policy.yaml or policy.json and in
// the files of policy.d, without a restart.
package policy
