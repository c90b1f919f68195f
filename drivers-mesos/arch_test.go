package main

import (
	"testing"

	"github.com/go-magnum/magnum/sdk/archtest"
)

func TestImports(t *testing.T) {
	archtest.Check(t, ".", archtest.Rule{
		Dir: ".", Deny: []string{"github.com/go-magnum/magnum/"},
		Except: []string{"github.com/go-magnum/magnum/sdk", "github.com/go-magnum/magnum/drivers-mesos"},
		Why:    "a driver stands on the sdk alone",
	})
}
