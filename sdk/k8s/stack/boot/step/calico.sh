#!/bin/sh
# The pods' network, from the first master: nodes tell each other by BGP which
# pods they have, and keep to network policies. Calico has no store of its own,
# and takes each node's part of the pods' addresses from Kubernetes, so that there
# is nothing for controllers of its own to do.
# shellcheck source=../lib.sh
. "$MAGNUM_LIB"
if [ "$(param index)" != 0 ]; then
    exit 0
fi
# Pods leave room for the header that IPIP puts before their packets.
device=$(ip -4 -o address show to "$(param address)" | awk '{print $2}')
mtu=$(($(cat "$root/sys/class/net/$device/mtu") - 20))

# The older version refuses a schema that is the same for all versions of one, the
# newer what has none.
case $(param kube_tag) in
v1.?.* | v1.1[0-5].*) definitions=apiextensions.k8s.io/v1beta1 schema= ;;
*)
    definitions=apiextensions.k8s.io/v1
    schema=', schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}'
    ;;
esac
# resource KIND PLURAL [SCOPE]: one that Calico keeps in Kubernetes.
resource() {
    cat <<END
---
apiVersion: $definitions
kind: CustomResourceDefinition
metadata: {name: $2.crd.projectcalico.org}
spec:
  group: crd.projectcalico.org
  scope: ${3:-Cluster}
  names: {kind: $1, plural: $2, singular: $(echo "$1" | tr '[:upper:]' '[:lower:]')}
  versions:
  - {name: v1, served: true, storage: true$schema}
END
}
manifest=$root/etc/kubernetes/calico.yaml
{
    resource BGPConfiguration bgpconfigurations
    resource BGPPeer bgppeers
    resource ClusterInformation clusterinformations
    resource FelixConfiguration felixconfigurations
    resource GlobalNetworkPolicy globalnetworkpolicies
    resource GlobalNetworkSet globalnetworksets
    resource HostEndpoint hostendpoints
    resource IPPool ippools
    resource NetworkPolicy networkpolicies Namespaced
    resource NetworkSet networksets Namespaced
    cat <<END
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: calico-node, namespace: kube-system}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: calico-node}
rules:
- {apiGroups: [""], resources: [namespaces, serviceaccounts, services, endpoints, pods, nodes], verbs: [get, list, watch]}
- {apiGroups: [""], resources: [nodes], verbs: [update]}
- {apiGroups: [""], resources: [nodes/status], verbs: [patch, update]}
- {apiGroups: [""], resources: [pods/status], verbs: [patch]}
- {apiGroups: [networking.k8s.io], resources: [networkpolicies], verbs: [get, list, watch]}
- {apiGroups: [crd.projectcalico.org], resources: ["*"], verbs: [create, get, list, update, watch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: calico-node}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: calico-node}
subjects:
- {kind: ServiceAccount, name: calico-node, namespace: kube-system}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: calico, namespace: kube-system}
data:
  cni.json: |
    {"name": "k8s-pod-network", "cniVersion": "0.3.1", "plugins": [
      {"type": "calico", "log_level": "info", "datastore_type": "kubernetes", "nodename": "__KUBERNETES_NODE_NAME__",
       "mtu": $mtu, "ipam": {"type": "host-local", "subnet": "usePodCidr"}, "policy": {"type": "k8s"},
       "kubernetes": {"kubeconfig": "__KUBECONFIG_FILEPATH__"}},
      {"type": "portmap", "snat": true, "capabilities": {"portMappings": true}}]}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: calico-node, namespace: kube-system, labels: {k8s-app: calico-node}}
spec:
  selector: {matchLabels: {k8s-app: calico-node}}
  template:
    metadata: {labels: {k8s-app: calico-node}}
    spec:
      hostNetwork: true
      serviceAccountName: calico-node
      priorityClassName: system-node-critical
      terminationGracePeriodSeconds: 0
      tolerations:
      - {operator: Exists}
      initContainers:
      - name: install-cni
        image: $(image cni quay.io/calico/ "$(param calico_tag)")
        command: [/install-cni.sh]
        env:
        - {name: SLEEP, value: "false"}
        - {name: CNI_CONF_NAME, value: 10-calico.conflist}
        - {name: CNI_NETWORK_CONFIG, valueFrom: {configMapKeyRef: {name: calico, key: cni.json}}}
        - {name: KUBERNETES_NODE_NAME, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}
        volumeMounts:
        - {name: plugins, mountPath: /host/opt/cni/bin}
        - {name: cni, mountPath: /host/etc/cni/net.d}
      containers:
      - name: calico-node
        image: $(image node quay.io/calico/ "$(param calico_tag)")
        env:
        - {name: DATASTORE_TYPE, value: kubernetes}
        - {name: WAIT_FOR_DATASTORE, value: "true"}
        - {name: NODENAME, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}
        - {name: CLUSTER_TYPE, value: "k8s,bgp"}
        - {name: CALICO_NETWORKING_BACKEND, value: bird}
        - {name: USE_POD_CIDR, value: "true"}
        - {name: IP, value: autodetect}
        - {name: IP_AUTODETECTION_METHOD, value: can-reach=$(param api_private_address)}
        - {name: CALICO_IPV4POOL_CIDR, value: $(param pods_network_cidr)}
        - {name: CALICO_IPV4POOL_IPIP, value: "$(param calico_ipv4pool_ipip)"}
        - {name: CALICO_DISABLE_FILE_LOGGING, value: "true"}
        - {name: FELIX_DEFAULTENDPOINTTOHOSTACTION, value: ACCEPT}
        - {name: FELIX_HEALTHENABLED, value: "true"}
        - {name: FELIX_IPINIPMTU, value: "$mtu"}
        - {name: FELIX_IPV6SUPPORT, value: "false"}
        - {name: FELIX_LOGSEVERITYSCREEN, value: info}
        securityContext: {privileged: true}
        resources: {requests: {cpu: 250m}}
        livenessProbe:
          httpGet: {path: /liveness, port: 9099, host: localhost}
          initialDelaySeconds: 10
          failureThreshold: 6
        readinessProbe:
          exec: {command: [/bin/calico-node, -bird-ready, -felix-ready]}
        volumeMounts:
        - {name: modules, mountPath: /lib/modules, readOnly: true}
        - {name: lock, mountPath: /run/xtables.lock}
        - {name: run, mountPath: /var/run/calico}
        - {name: lib, mountPath: /var/lib/calico}
      volumes:
      - {name: modules, hostPath: {path: /lib/modules}}
      - {name: lock, hostPath: {path: /run/xtables.lock, type: FileOrCreate}}
      - {name: run, hostPath: {path: /var/run/calico}}
      - {name: lib, hostPath: {path: /var/lib/calico}}
      - {name: cni, hostPath: {path: /etc/cni/net.d}}
      - {name: plugins, hostPath: {path: /opt/cni/bin}}
END
} >"$manifest"
apply() {
    kubectl apply --filename - <"$manifest"
}
retry 30 10 apply
