package api

import "strconv"

// letters are upstream's stock of names for what users do not name.
var letters = [...]string{
	"alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu",
	"nu", "xi", "omicron", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega",
}

// name makes up a name such as rho-10-cluster. It need not be unique.
func (a *api) name(kind string) string {
	return letters[a.Pick(len(letters))] + "-" + strconv.Itoa(1+a.Pick(24)) + "-" + kind
}
