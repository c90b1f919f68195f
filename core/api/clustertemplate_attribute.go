package api

import (
	"net/netip"
	"strings"

	"github.com/go-magnum/magnum/core/magnum"
)

// knownCOEs are upstream's words for container engines. A driver may add its
// own; one of these without a driver gets a refusal that says so.
var knownCOEs = []string{"kubernetes", "swarm", "mesos", "dcos", "swarm-mode"}

var serverTypes = []string{"vm", "bm"}

// newTemplate has the values of what a body leaves out.
func newTemplate() *magnum.ClusterTemplate {
	return &magnum.ClusterTemplate{ServerType: "vm", FloatingIPEnabled: true}
}

// templateAttributes are the members of a template's body, in upstream's order.
func templateAttributes(t *magnum.ClusterTemplate, coes []string) []attribute {
	return []attribute{
		uuidAttribute("uuid", &t.UUID),
		identAttribute("name", &t.Name),
		enumAttribute("coe", coes, func(s string) { t.COE = s }),
		required(identAttribute("image_id", &t.ImageID)),
		identAttribute("flavor_id", &t.FlavorID),
		identAttribute("master_flavor_id", &t.MasterFlavorID),
		dnsAttribute("dns_nameserver", &t.DNSNameserver),
		identAttribute("keypair_id", &t.KeypairID),
		identAttribute("external_network_id", &t.ExternalNetworkID),
		identAttribute("fixed_network", &t.FixedNetwork),
		identAttribute("fixed_subnet", &t.FixedSubnet),
		identAttribute("network_driver", &t.NetworkDriver),
		intAttribute("apiserver_port", 1024, 65535, func(n int) { t.APIServerPort = n }),
		intAttribute("docker_volume_size", 1, maxInt, func(n int) { t.DockerVolumeSize = n }),
		identAttribute("cluster_distro", &t.ClusterDistro),
		readOnly("links"),
		identAttribute("http_proxy", &t.HTTPProxy),
		identAttribute("https_proxy", &t.HTTPSProxy),
		identAttribute("no_proxy", &t.NoProxy),
		identAttribute("volume_driver", &t.VolumeDriver),
		boolAttribute("registry_enabled", func(b bool) { t.RegistryEnabled = b }),
		labelAttribute("labels", &t.Labels),
		boolAttribute("tls_disabled", func(b bool) { t.TLSDisabled = b }),
		boolAttribute("public", func(b bool) { t.Public = b }),
		enumAttribute("server_type", serverTypes, func(s string) { t.ServerType = s }),
		identAttribute("insecure_registry", &t.InsecureRegistry),
		identAttribute("docker_storage_driver", &t.DockerStorageDriver),
		boolAttribute("master_lb_enabled", func(b bool) { t.MasterLBEnabled = b }),
		boolAttribute("floating_ip_enabled", func(b bool) { t.FloatingIPEnabled = b }),
		readOnly("project_id"),
		readOnly("user_id"),
		boolAttribute("hidden", func(b bool) { t.Hidden = b }),
		textAttribute("tags", 0, 255, nil, func(s string) { t.Tags = &s }),
		identAttribute("driver", &t.Driver),
		stampAttribute("created_at"),
		stampAttribute("updated_at"),
	}
}

func required(a attribute) attribute {
	a.mandatory = true
	return a
}

// dnsAttribute is one IPv4 address or several with commas; blanks are kept.
func dnsAttribute(name string, to *string) attribute {
	return attribute{name: name, set: func(v value) error {
		for one := range strings.SplitSeq(v.text, ",") {
			if addr, err := netip.ParseAddr(strings.TrimSpace(one)); v.kind != text || err != nil || !addr.Is4() {
				return badRequest("Expected a single dns address or comma separated dns list, but received %s.", v.str())
			}
		}
		*to = v.text
		return nil
	}}
}

// templateDialect is what a patch of a template may do.
var templateDialect = dialect{
	internal: internalAttributes,
	permanent: []string{
		"coe", "image_id", "network_driver", "external_network_id", "tls_disabled", "public", "server_type",
		"registry_enabled", "cluster_distro", "hidden",
	},
	literals: []string{"labels"},
}

// templateDocument is a template as a patch sees it.
func templateDocument(t *magnum.ClusterTemplate) *document {
	d := newDocument()
	d.addText("uuid", t.UUID)
	d.addText("name", t.Name)
	d.addText("coe", t.COE)
	d.addText("image_id", t.ImageID)
	d.addText("flavor_id", t.FlavorID)
	d.addText("master_flavor_id", t.MasterFlavorID)
	d.addText("dns_nameserver", t.DNSNameserver)
	d.addText("keypair_id", t.KeypairID)
	d.addText("external_network_id", t.ExternalNetworkID)
	d.addText("fixed_network", t.FixedNetwork)
	d.addText("fixed_subnet", t.FixedSubnet)
	d.addText("network_driver", t.NetworkDriver)
	d.addNumber("apiserver_port", t.APIServerPort)
	d.addNumber("docker_volume_size", t.DockerVolumeSize)
	d.addText("cluster_distro", t.ClusterDistro)
	d.addText("http_proxy", t.HTTPProxy)
	d.addText("https_proxy", t.HTTPSProxy)
	d.addText("no_proxy", t.NoProxy)
	d.addText("volume_driver", t.VolumeDriver)
	d.addBool("registry_enabled", t.RegistryEnabled)
	d.addMap("labels", t.Labels)
	d.addBool("tls_disabled", t.TLSDisabled)
	d.addBool("public", t.Public)
	d.addText("server_type", t.ServerType)
	d.addText("insecure_registry", t.InsecureRegistry)
	d.addText("docker_storage_driver", t.DockerStorageDriver)
	d.addBool("master_lb_enabled", t.MasterLBEnabled)
	d.addBool("floating_ip_enabled", t.FloatingIPEnabled)
	d.addText("project_id", t.ProjectID)
	d.addText("user_id", t.UserID)
	d.addBool("hidden", t.Hidden)
	if t.Tags != nil {
		d.add("tags", textValue(*t.Tags))
	} else {
		d.add("tags", value{})
	}
	d.addText("driver", t.Driver)
	return d
}

// patched returns the template that a patch makes of t.
func (w *templateWords) patched(t *magnum.ClusterTemplate, steps []operation, coes []string) (*magnum.ClusterTemplate, error) {
	doc, err := w.dialect.apply(templateDocument(t).value, steps)
	if err != nil {
		return nil, err
	}
	after := newTemplate()
	if err := doc.accept(w.attributes(after, coes)); err != nil {
		return nil, err
	}
	if !touches(steps, "labels") {
		after.Labels = t.Labels // null and none stay what they are
	}
	after.ID, after.UUID, after.ProjectID, after.UserID = t.ID, t.UUID, t.ProjectID, t.UserID
	after.CreatedAt, after.UpdatedAt = t.CreatedAt, t.UpdatedAt
	if !touches(steps, "driver") {
		after.Driver = t.Driver
	}
	return after, nil
}
