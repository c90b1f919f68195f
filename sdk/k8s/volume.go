package k8s

import (
	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/template"
	"github.com/go-magnum/magnum/sdk/template/infra"
)

// cinder is the volume driver: Kubernetes makes volumes for pods, as the cluster's
// user.
const cinder = "cinder"

// VolumeDrivers are those that the shared boot scripts set up.
func VolumeDrivers() []string { return []string{cinder} }

// TrustFor is what nodes need the trust for, for the definition's field of this
// name.
func TrustFor() []string { return []string{"volume_driver=" + cinder, infra.RegistryTrust} }

func usesCinder(v *template.Values) bool { return v.Template.VolumeDriver == cinder }

// cloudParameters let nodes act for the user where they have to.
func cloudParameters() []template.Parameter {
	return []template.Parameter{
		{Name: "trust_id", From: template.Secret(driver.SecretTrustID), When: usesCinder},
		{Name: "region_name", From: template.Endpoint("Region"), When: usesCinder},
	}
}
