"""A Magnum driver in Python: clusters that are a network with servers."""

import json
import pkgutil
import re
import sys

import wire

KUBE_TAG = "v1.30.0"

DESCRIPTION = {
    "name": "k8s_python_v1",
    "display_name": "A driver in Python",
    "version": "0.1.0",
    "maturity": "stable",
    "cluster_types": [{"server_type": "vm", "os": "fedora", "coe": "kubernetes"}],
    "label_schema": {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {
            "kube_tag": {"type": "string", "default": KUBE_TAG, "pattern": r"^v[0-9]+\.[0-9]+\.[0-9]+$",
                         "description": "Version of Kubernetes."},
        },
    },
    "network_drivers": ["flannel"],
    "capabilities": ["resize"],
    "limits": {},
    "resource_types": ["OS::Heat::ResourceGroup", "OS::Neutron::Net", "OS::Neutron::Router",
                       "OS::Neutron::RouterInterface", "OS::Neutron::Subnet", "OS::Nova::Server"],
    "services": ["magnum.driver.v1.Driver", "magnum.driver.v1.Templates"],
}


def default_group(request, master):
    for group in request.node_groups:
        if group.is_default and (group.role == "master") == master:
            return group
    raise wire.Error("INVALID_INPUT", "the cluster has no default %s" % ("masters" if master else "workers"))


class Templates:
    """One method for each call of the service, from its request to its answer."""

    def Validate(self, request):
        violations = []
        for name, schema in DESCRIPTION["label_schema"]["properties"].items():
            value = request.cluster.labels.get(name, schema["default"])
            if not re.fullmatch(schema["pattern"], value):
                violations.append({"field": "labels/" + name, "class": wire.class_number("INVALID_INPUT"),
                                   "message": "label %s must match %s" % (name, schema["pattern"])})
        for field in ("network_driver", "volume_driver"):
            value, known = getattr(request.template, field), DESCRIPTION.get(field + "s", [])
            if value and value not in known:
                violations.append({"field": field, "class": wire.class_number("INVALID_INPUT"),
                                   "message": "%s is not one of %s" % (value, ", ".join(known) or "those that there are")})
        return wire.message("ValidateResponse")(violations=violations)

    def Render(self, request):
        if request.intent not in ("create", "update", "resize"):
            raise wire.Error("UNSUPPORTED", "this driver does not know how to %s" % request.intent[:80])
        if request.node_group and request.node_group not in [group.name for group in request.node_groups]:
            raise wire.Error("INVALID_INPUT", "the cluster has no node group %s" % request.node_group[:80])
        masters, workers = default_group(request, True), default_group(request, False)
        parameters = {
            "keypair": request.cluster.keypair,
            "external_network": request.template.external_network_id,
            "kube_tag": request.cluster.labels.get("kube_tag", KUBE_TAG),
            "master_count": str(masters.node_count),
            "master_image": masters.image_id,
            "master_flavor": masters.flavor_id,
            "worker_count": str(workers.node_count),
            "worker_image": workers.image_id,
            "worker_flavor": workers.flavor_id,
            "workers_to_remove": json.dumps(list(request.nodes_to_remove)),
        }
        return wire.message("RenderResponse")(
            template=pkgutil.get_data("wire", "stack.yaml").decode(),
            parameters={name: wire.message("Parameter")(value=value) for name, value in parameters.items()})

    def MapOutputs(self, request):
        # An output that is not there yet is null.
        outputs = {name: json.loads(request.outputs.get(name, b"null")) for name in ("api_address", "master_addresses", "worker_addresses")}
        answer = wire.message("MapOutputsResponse")()
        if outputs["api_address"] is not None:
            answer.cluster.api_address = str(outputs["api_address"])
        for name, master in (("master_addresses", True), ("worker_addresses", False)):
            if outputs[name] is None:
                continue
            if not isinstance(outputs[name], list):
                raise wire.Error("PRECONDITION", "the stack's output %s is no list of addresses" % name)
            patch = answer.node_groups.add(name=default_group(request, master).name)
            patch.node_addresses.SetInParent()  # an empty list clears them
            patch.node_addresses.addresses.extend(str(address) for address in outputs[name])
        return answer

    def PreDelete(self, request):
        return wire.message("PreDeleteResponse")()  # all there is goes with the stack


sys.exit(wire.main(DESCRIPTION, Templates()))
