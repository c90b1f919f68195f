package api

import "github.com/go-magnum/magnum/core/magnum"

// template writes a template, the same in lists and alone.
func (e *encoder) template(rq *request, t *magnum.ClusterTemplate) {
	w := rq.templateWords()
	e.open('{')
	e.str("uuid", t.UUID)
	e.text("name", t.Name)
	e.text("coe", t.COE)
	e.text("image_id", t.ImageID)
	e.text("flavor_id", t.FlavorID)
	e.text("master_flavor_id", t.MasterFlavorID)
	e.text("dns_nameserver", t.DNSNameserver)
	e.text("keypair_id", t.KeypairID)
	e.text("external_network_id", t.ExternalNetworkID)
	e.text("fixed_network", t.FixedNetwork)
	e.text("fixed_subnet", t.FixedSubnet)
	e.text("network_driver", t.NetworkDriver)
	e.number("apiserver_port", t.APIServerPort)
	e.number("docker_volume_size", t.DockerVolumeSize)
	e.text("cluster_distro", t.ClusterDistro)
	e.links(rq.base, w.collection, t.UUID)
	e.text("http_proxy", t.HTTPProxy)
	e.text("https_proxy", t.HTTPSProxy)
	e.text("no_proxy", t.NoProxy)
	e.text("volume_driver", t.VolumeDriver)
	e.bool("registry_enabled", t.RegistryEnabled)
	e.labels("labels", t.Labels)
	e.bool("tls_disabled", t.TLSDisabled)
	e.bool("public", t.Public)
	e.text("server_type", t.ServerType)
	e.text("insecure_registry", t.InsecureRegistry)
	e.text("docker_storage_driver", t.DockerStorageDriver)
	e.bool("master_lb_enabled", t.MasterLBEnabled)
	e.bool("floating_ip_enabled", t.FloatingIPEnabled)
	if w.owner {
		e.text("project_id", t.ProjectID)
		e.text("user_id", t.UserID)
	}
	e.bool("hidden", t.Hidden)
	if t.Tags != nil {
		e.str("tags", *t.Tags)
	} else {
		e.null("tags")
	}
	if w.owner {
		e.text("driver", t.Driver)
	}
	e.time("created_at", t.CreatedAt)
	e.time("updated_at", t.UpdatedAt)
	e.close('}')
}
