package devcloud

import (
	"encoding/json"
	"io"
	"net/netip"
	"strings"

	"github.com/go-magnum/magnum/sdk/hot"
)

// make brings a resource into being, as far as anybody can tell from outside.
func (h *heat) make(r *heatResource) *failure {
	r.physical = h.config.newUUID()
	r.attrs = map[string]any{}
	makers := map[string]func(*heatResource) error{
		"OS::Nova::Server":                  h.makeServer,
		"OS::Neutron::Net":                  h.makeNet,
		"OS::Neutron::Subnet":               h.makeSubnet,
		"OS::Neutron::Port":                 h.makePort,
		"OS::Neutron::RouterInterface":      h.makeInterface,
		"OS::Neutron::FloatingIP":           h.makeFloatingIP,
		"OS::Octavia::LoadBalancer":         h.makeLoadBalancer,
		"OS::Heat::WaitConditionHandle":     h.makeHandle,
		"OS::Heat::WaitCondition":           h.makeCondition,
		"OS::Heat::RandomString":            h.makeRandom,
		"OS::Heat::Value":                   h.makeNamed,
		"OS::Nova::KeyPair":                 h.makeKeyPair,
		"OS::Heat::SoftwareConfig":          h.makeConfig,
		"OS::Heat::StructuredConfig":        h.makeConfig,
		"OS::Heat::CloudConfig":             h.makeConfig,
		"OS::Heat::MultipartMime":           h.makeConfig,
		"OS::Heat::SoftwareDeployment":      h.makeDeployment,
		"OS::Heat::StructuredDeployment":    h.makeDeployment,
		"OS::Heat::SoftwareDeploymentGroup": h.makeDeployment,
	}
	if mk := makers[r.kind]; mk != nil {
		if err := mk(r); err != nil {
			return &failure{class: "NotFound", message: err.Error()}
		}
	}
	return nil
}

// remake takes over changed properties; ids and addresses stay.
func (h *heat) remake(r *heatResource, _ map[string]any) {
	switch r.kind {
	case "OS::Heat::SoftwareDeployment", "OS::Heat::StructuredDeployment", "OS::Heat::SoftwareDeploymentGroup":
		h.deploy(r)
	case "OS::Heat::WaitCondition":
		r.until = h.config.now().Add(seconds(r.props["timeout"]))
	case "OS::Neutron::Port":
		if p := h.net.ports[r.physical]; p != nil {
			p.groups = groupsOf(r.props)
		}
	}
}

// unmake gives back what a resource held.
func (h *heat) unmake(r *heatResource) {
	switch r.kind {
	case "OS::Neutron::Port", "OS::Octavia::LoadBalancer":
		h.net.unplug(r.portID())
	case "OS::Nova::Server":
		for _, id := range r.ownPorts() {
			h.net.unplug(id)
		}
	case "OS::Neutron::FloatingIP":
		if addr, err := netip.ParseAddr(textOr(r.attrs["floating_ip_address"], "")); err == nil {
			delete(h.net.floating, addr)
		}
	case "OS::Neutron::Net":
		h.net.networks = without(h.net.networks, func(n *Network) bool { return n.ID == r.physical })
	case "OS::Neutron::Subnet":
		h.net.subnets = without(h.net.subnets, func(s *Subnet) bool { return s.ID == r.physical })
		delete(h.net.used, r.physical)
	case "OS::Heat::WaitConditionHandle":
		delete(h.tokens, r.token)
	}
	delete(h.texts, r.physical)
}

func without[T any](list []T, match func(T) bool) []T {
	out := list[:0:0]
	for _, x := range list {
		if !match(x) {
			out = append(out, x)
		}
	}
	return out
}

// named is the name property, or what Heat calls it otherwise.
func (h *heat) named(r *heatResource) string {
	name, ok := r.attrs["name"].(string)
	if !ok {
		if name = textOr(r.props["name"], ""); name == "" {
			name = h.physicalName(r)
		}
		r.attrs["name"] = name
	}
	return name
}

func textOr(v any, or string) string {
	if s, ok := v.(string); ok && s != "" {
		return s
	}
	return or
}

func (h *heat) makeNet(r *heatResource) error {
	h.net.networks = append(h.net.networks, &Network{ID: r.physical, Name: h.named(r)})
	return nil
}

func (h *heat) makeSubnet(r *heatResource) error {
	n, err := h.net.network(textOr(r.props["network"], textOr(r.props["network_id"], "")))
	if err != nil {
		return err
	}
	s := &Subnet{ID: r.physical, Name: h.named(r), NetworkID: n.ID, CIDR: textOr(r.props["cidr"], "10.0.0.0/24"), Gateway: textOr(r.props["gateway_ip"], "")}
	prefix, err := netip.ParsePrefix(s.CIDR)
	if err != nil {
		return err
	}
	if s.Gateway == "" {
		s.Gateway = prefix.Masked().Addr().Next().String()
	}
	h.net.subnets = append(h.net.subnets, s)
	r.attrs["network_id"], r.attrs["gateway_ip"], r.attrs["cidr"] = n.ID, s.Gateway, s.CIDR
	return nil
}

func (h *heat) makePort(r *heatResource) error {
	n, err := h.net.network(textOr(r.props["network"], textOr(r.props["network_id"], "")))
	if err != nil {
		return err
	}
	fixed, _ := r.props["fixed_ips"].([]any)
	subnet, wanted := "", ""
	if len(fixed) > 0 {
		m, _ := fixed[0].(map[string]any)
		subnet, wanted = textOr(m["subnet"], textOr(m["subnet_id"], "")), textOr(m["ip_address"], "")
	}
	p, err := h.plug(r, n, subnet, wanted)
	if err != nil {
		return err
	}
	p.groups = groupsOf(r.props)
	h.describePort(r, p)
	return nil
}

// plug makes a port on a subnet, or on the network's first.
func (h *heat) plug(r *heatResource, n *Network, subnet, wanted string) (*heatPort, error) {
	var s *Subnet
	var err error
	if subnet == "" {
		s, err = h.net.subnetOf(n.ID)
	} else {
		s, err = h.net.subnet(subnet)
	}
	if err != nil {
		return nil, err
	}
	id := r.physical
	if r.kind != "OS::Neutron::Port" {
		id = h.config.newUUID()
	}
	return h.net.plug(id, r.name, n, s, wanted)
}

func (h *heat) describePort(r *heatResource, p *heatPort) {
	h.named(r)
	r.attrs["fixed_ips"] = []any{map[string]any{"subnet_id": p.subnet.ID, "ip_address": p.address.String()}}
	r.attrs["mac_address"] = p.mac
	r.attrs["network_id"] = p.network.ID
	r.attrs["network"] = map[string]any{"id": p.network.ID, "name": p.network.Name}
	r.attrs["subnets"] = []any{map[string]any{"id": p.subnet.ID, "name": p.subnet.Name, "cidr": p.subnet.CIDR, "gateway_ip": p.subnet.Gateway, "network_id": p.network.ID}}
	r.attrs["status"] = "ACTIVE"
	r.attrs["device_id"], r.attrs["device_owner"] = "", ""
}

func (h *heat) makeInterface(r *heatResource) error {
	where := "subnet_id=" + textOr(r.props["subnet"], textOr(r.props["subnet_id"], ""))
	if port := textOr(r.props["port"], textOr(r.props["port_id"], "")); port != "" {
		where = "port_id=" + port
	}
	r.physical = textOr(r.props["router"], textOr(r.props["router_id"], "")) + ":" + where
	return nil
}

func (h *heat) makeFloatingIP(r *heatResource) error {
	n, err := h.net.network(textOr(r.props["floating_network"], textOr(r.props["floating_network_id"], "")))
	if err != nil {
		return err
	}
	addr, err := h.net.float()
	if err != nil {
		return err
	}
	r.attrs["floating_ip_address"] = addr.String()
	r.attrs["floating_network_id"] = n.ID
	return nil
}

func (h *heat) makeLoadBalancer(r *heatResource) error {
	s, err := h.net.subnet(textOr(r.props["vip_subnet"], ""))
	if err != nil {
		return err
	}
	n, err := h.net.network(s.NetworkID)
	if err != nil {
		return err
	}
	p, err := h.plug(r, n, s.ID, textOr(r.props["vip_address"], ""))
	if err != nil {
		return err
	}
	h.named(r)
	r.attrs["vip_port_id"], r.attrs["vip_address"], r.attrs["vip_subnet_id"] = p.id, p.address.String(), s.ID
	return nil
}

// portID is the port a resource has: its own, or a load balancer's.
func (r *heatResource) portID() string {
	return textOr(r.attrs["vip_port_id"], r.physical)
}

func (h *heat) makeServer(r *heatResource) error {
	h.named(r)
	var ports, own []any
	nets, _ := r.props["networks"].([]any)
	for _, x := range nets {
		m, _ := x.(map[string]any)
		if id := textOr(m["port"], ""); id != "" {
			if h.net.ports[id] == nil {
				return &missing{"port", id}
			}
			ports = append(ports, id)
			continue
		}
		n, err := h.net.network(textOr(m["network"], textOr(m["uuid"], "")))
		if err != nil {
			return err
		}
		p, err := h.plug(r, n, textOr(m["subnet"], ""), textOr(m["fixed_ip"], ""))
		if err != nil {
			return err
		}
		ports, own = append(ports, p.id), append(own, p.id)
	}
	r.attrs["ports"], r.attrs["own_ports"] = ports, own
	r.until = h.config.now().Add(h.config.serverDelay)
	return nil
}

func (r *heatResource) ownPorts() []string {
	list, _ := r.attrs["own_ports"].([]any)
	var out []string
	for _, x := range list {
		out = append(out, x.(string))
	}
	return out
}

// missing is a thing of a kind that is not there.
type missing struct{ kind, id string }

func (m *missing) Error() string {
	return "Unable to find " + m.kind + " with name or id '" + m.id + "'"
}

func (h *heat) makeNamed(r *heatResource) error {
	r.physical = h.physicalName(r)
	return nil
}

func (h *heat) makeKeyPair(r *heatResource) error {
	r.physical = textOr(r.props["name"], r.physical)
	return nil
}

const (
	lettersDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	randomLength  = 32
)

func (h *heat) makeRandom(r *heatResource) error {
	r.physical = h.physicalName(r)
	n, ok := r.props["length"].(int)
	if !ok {
		n = randomLength
	}
	raw := make([]byte, n)
	if _, err := io.ReadFull(h.config.rand, raw); err != nil {
		return err
	}
	for i, b := range raw {
		raw[i] = lettersDigits[int(b)%len(lettersDigits)]
	}
	r.attrs["value"] = string(raw)
	return nil
}

// makeConfig keeps a configuration's text, which servers and deployments refer
// to by its id.
func (h *heat) makeConfig(r *heatResource) error {
	var text string
	switch r.kind {
	case "OS::Heat::SoftwareConfig":
		text = textOr(r.props["config"], "")
		r.attrs["config"] = text
	case "OS::Heat::CloudConfig":
		raw, err := json.MarshalIndent(r.props["cloud_config"], "", " ")
		if err != nil {
			return err
		}
		text = "#cloud-config\n" + string(raw) + "\n" // JSON is YAML
		r.attrs["config"] = text
	case "OS::Heat::StructuredConfig":
		r.attrs["config"] = r.props["config"]
		text = hot.Text(r.props["config"])
	case "OS::Heat::MultipartMime":
		text = h.mime(r)
		r.attrs["config"] = text
	}
	h.texts[r.physical] = text
	return nil
}

// mime joins the parts of a multipart document.
func (h *heat) mime(r *heatResource) string {
	const boundary = "===============devcloud=="
	var b strings.Builder
	b.WriteString("Content-Type: multipart/mixed; boundary=\"" + boundary + "\"\nMIME-Version: 1.0\n")
	parts, _ := r.props["parts"].([]any)
	for _, x := range parts {
		m, _ := x.(map[string]any)
		subtype := textOr(m["subtype"], "plain")
		b.WriteString("\n--" + boundary + "\nContent-Type: text/" + subtype + "; charset=\"us-ascii\"\nMIME-Version: 1.0\nContent-Transfer-Encoding: 7bit\n")
		if name := textOr(m["filename"], ""); name != "" {
			b.WriteString("Content-Disposition: attachment; filename=\"" + name + "\"\n")
		}
		b.WriteString("\n" + h.text(textOr(m["config"], "")) + "\n")
	}
	b.WriteString("--" + boundary + "--\n")
	return b.String()
}

// text is a configuration's text by its id, or the text itself.
func (h *heat) text(s string) string {
	if t, ok := h.texts[s]; ok {
		return t
	}
	return s
}
