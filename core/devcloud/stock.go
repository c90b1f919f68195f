package devcloud

import (
	"maps"
	"slices"
	"strings"
)

// stock is what the services but Keystone and Heat have. Guarded by
// Cloud.mu; what is in it does not change once it is in.
type stock struct {
	images        []Image
	flavors       []Flavor
	keypairs      []Keypair
	networks      []Network
	subnets       []Subnet
	volumeTypes   []volumeType
	loadBalancers []LoadBalancer
	routers       []object
	groups        []object // security groups
}

// Image is an image of Glance.
type Image struct {
	ID      string // made up if empty
	Name    string
	Project string // its owner's name; admin if empty
	Private bool
	// Properties are the free ones, such as os_distro.
	Properties map[string]string
	MinDisk    int // GB
	MinRAM     int // MB
}

// Flavor is a flavor of Nova.
type Flavor struct {
	ID      string // made up if empty
	Name    string
	VCPUs   int
	RAM     int // MB
	Disk    int // GB; 0 boots from volumes only
	Private bool
}

// Keypair is a key pair of Nova. It belongs to a user, not to a project.
type Keypair struct {
	User      string // its name
	Name      string
	PublicKey string
}

// Network is a network of Neutron.
type Network struct {
	ID       string // made up if empty
	Name     string
	Project  string // its name; admin if empty
	External bool
	Shared   bool
}

// Subnet is a subnet of Neutron. Its network's project owns it.
type Subnet struct {
	ID        string // made up if empty
	Name      string
	NetworkID string
	CIDR      string
	Gateway   string
}

// LoadBalancer is a load balancer of Octavia.
type LoadBalancer struct {
	ID          string // made up if empty
	Name        string
	Project     string // its name
	Description string // where Kubernetes notes whose it is
	VIPAddress  string
}

type volumeType struct{ ID, Name, Description string }

// AddImage puts an image in and returns its id.
func (c *Cloud) AddImage(image Image) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.addImage(image)
}

func (c *Cloud) addImage(image Image) string {
	image.ID = c.orNew(image.ID)
	image.Properties = maps.Clone(image.Properties)
	c.stock.images = append(c.stock.images, image)
	return image.ID
}

// AddFlavor puts a flavor in and returns its id.
func (c *Cloud) AddFlavor(flavor Flavor) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	flavor.ID = c.orNew(flavor.ID)
	c.stock.flavors = append(c.stock.flavors, flavor)
	return flavor.ID
}

// AddKeypair puts a key pair in.
func (c *Cloud) AddKeypair(keypair Keypair) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stock.keypairs = append(c.stock.keypairs, keypair)
}

// AddNetwork puts a network in and returns its id.
func (c *Cloud) AddNetwork(network Network) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.addNetwork(network)
}

func (c *Cloud) addNetwork(network Network) string {
	network.ID = c.orNew(network.ID)
	c.stock.networks = append(c.stock.networks, network)
	return network.ID
}

// AddSubnet puts a subnet in and returns its id.
func (c *Cloud) AddSubnet(subnet Subnet) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.addSubnet(subnet)
}

func (c *Cloud) addSubnet(subnet Subnet) string {
	subnet.ID = c.orNew(subnet.ID)
	c.stock.subnets = append(c.stock.subnets, subnet)
	return subnet.ID
}

// AddLoadBalancer puts a load balancer in, as Kubernetes would make one, and
// returns its id.
func (c *Cloud) AddLoadBalancer(balancer LoadBalancer) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	balancer.ID = c.orNew(balancer.ID)
	c.stock.loadBalancers = append(c.stock.loadBalancers, balancer)
	return balancer.ID
}

func (c *Cloud) orNew(id string) string {
	if id == "" {
		return c.newUUID()
	}
	return id
}

// projectID is the id of a project by its name; admin's for none.
func (c *Cloud) projectID(name string) string {
	if name == "" {
		name = "admin"
	}
	if p := c.accounts.projectNamed(name, defaultDomain); p != nil {
		return p.ID
	}
	return ""
}

// stockUp fills a new cloud. Cloud.mu is held.
func (c *Cloud) stockUp() {
	for _, image := range []struct{ name, distro string }{
		{"fedora-atomic-latest", "fedora-atomic"}, {"fedora-coreos-latest", "fedora-coreos"}, {"coreos-latest", "coreos"},
		{"coreos-stable", "coreos"},
		{"ubuntu-mesos", "ubuntu"}, {"debian-latest", "debian"}, {"fedora-latest", "fedora"}, {"no-distro", ""},
	} {
		properties := map[string]string{}
		if image.distro != "" {
			properties["os_distro"] = image.distro
		}
		c.addImage(Image{Name: image.name, Properties: properties})
	}
	for _, flavor := range []Flavor{
		{Name: "m1.tiny", VCPUs: 1, RAM: 512, Disk: 1},
		{Name: "m1.small", VCPUs: 1, RAM: 2048, Disk: 20},
		{Name: "m1.medium", VCPUs: 2, RAM: 4096, Disk: 40},
		{Name: "m1.large", VCPUs: 4, RAM: 8192, Disk: 80},
	} {
		flavor.ID = c.newUUID()
		c.stock.flavors = append(c.stock.flavors, flavor)
	}
	const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f test"
	for _, user := range []string{"admin", "demo"} {
		c.stock.keypairs = append(c.stock.keypairs, Keypair{User: user, Name: "testkey", PublicKey: key})
	}
	external := c.addNetwork(Network{Name: "public", External: true})
	c.addSubnet(Subnet{Name: "public-subnet", NetworkID: external, CIDR: publicCIDR, Gateway: "127.24.4.1"})
	for i, project := range []string{"demo", "admin"} {
		private := c.addNetwork(Network{Name: project + "-net", Project: project})
		prefix := []string{"10.20.0.", "10.30.0."}[i]
		c.addSubnet(Subnet{Name: project + "-subnet", NetworkID: private, CIDR: prefix + "0/24", Gateway: prefix + "1"})
		c.stock.routers = append(c.stock.routers, c.owned(c.projectID(project), object{
			"id": c.newUUID(), "name": project + "-router", "admin_state_up": true, "status": "ACTIVE", "routes": []object{},
			"availability_zones": []string{}, "availability_zone_hints": []string{}, "flavor_id": nil,
			"external_gateway_info": object{"network_id": external, "enable_snat": true, "external_fixed_ips": []object{}},
		}))
	}
	for _, p := range c.accounts.projects {
		c.stock.groups = append(c.stock.groups, c.owned(p.ID, object{
			"id": c.newUUID(), "name": "default", "stateful": true, "shared": false, "security_group_rules": []object{},
		}))
	}
	for _, kind := range []volumeType{{Name: "fake"}, {Name: "__DEFAULT__", Description: "Default Volume Type"}} {
		kind.ID = c.newUUID()
		c.stock.volumeTypes = append(c.stock.volumeTypes, kind)
	}
}

// owned adds what all of Neutron's resources have.
func (c *Cloud) owned(projectID string, resource object) object {
	now := c.config.Now().UTC().Format("2006-01-02T15:04:05Z")
	resource["project_id"], resource["tenant_id"] = projectID, projectID
	resource["description"], resource["tags"] = "", []string{}
	resource["created_at"], resource["updated_at"], resource["revision_number"] = now, now, 1
	return resource
}

// cut returns the part of a list that comes behind the marker, at most limit
// long, and whether there is more; false as the last if there is no marker
// of that id.
func cut[T any](all []T, id func(T) string, marker string, limit int) (page []T, more, found bool) {
	if marker != "" {
		at := slices.IndexFunc(all, func(item T) bool { return id(item) == marker })
		if at < 0 {
			return nil, false, false
		}
		all = all[at+1:]
	}
	if limit > 0 && len(all) > limit {
		return all[:limit], true, true
	}
	return all, false, true
}

// truth reads a boolean as the services take it; false as the second if it
// is none.
func truth(text string) (value, ok bool) {
	switch strings.ToLower(text) {
	case "true", "1", "t", "yes", "on":
		return true, true
	case "false", "0", "f", "no", "off":
		return false, true
	}
	return false, false
}

// publicCIDR is where floating IPs come from.
const publicCIDR = "127.24.4.0/22"
