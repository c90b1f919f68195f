// Package hot understands Heat orchestration templates: it parses them,
// resolves nested ones, checks parameters and properties as Heat does, and
// evaluates properties and outputs. It uses the standard library and a YAML
// parser only.
//
// Three uses, from the cheapest:
//
//	Parse      one template on its own: what it declares, uses and refers to
//	Load       a stack: main template, files and environments together
//	Scope      a stack with parameter values, ready to be evaluated
//
// Errors are of type [*Error] and in Heat's own words, since users read them
// and look them up. Where Heat accepts something odd, so does this package: a
// misspelt function, for one, is plain data to Heat, and only [Stack.Lint]
// speaks of it.
//
// Templates come from strangers. Size, nesting, alias expansion and the work of
// one evaluation are bounded; what goes past a bound is an error, never a
// panic.
//
// Not understood, and refused by name when used: yaql, filter, make_url,
// resource_facade, and the CloudFormation functions.
package hot
