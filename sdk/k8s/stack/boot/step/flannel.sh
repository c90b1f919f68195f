#!/bin/sh
# The pods' network, from the first master.
# shellcheck source=../lib.sh
. "$MAGNUM_LIB"
if [ "$(param index)" != 0 ]; then
    exit 0
fi
flannel=$(image flannel quay.io/coreos/ "$(param flannel_tag)")
plugins=$(image flannel-cni quay.io/coreos/ "$(param flannel_cni_tag)")
manifest=$root/etc/kubernetes/flannel.yaml
cat >"$manifest" <<END
apiVersion: v1
kind: ServiceAccount
metadata: {name: flannel, namespace: kube-system}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: flannel}
rules:
- {apiGroups: [""], resources: [pods], verbs: [get]}
- {apiGroups: [""], resources: [nodes], verbs: [list, watch]}
- {apiGroups: [""], resources: [nodes/status], verbs: [patch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: flannel}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: flannel}
subjects:
- {kind: ServiceAccount, name: flannel, namespace: kube-system}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: flannel, namespace: kube-system}
data:
  cni.json: |
    {"name": "cbr0", "cniVersion": "0.3.1", "plugins": [
      {"type": "flannel", "delegate": {"hairpinMode": true, "isDefaultGateway": true}},
      {"type": "portmap", "capabilities": {"portMappings": true}}]}
  net.json: |
    {"Network": "$(param pods_network_cidr)",
     "SubnetLen": $(param flannel_network_subnetlen),
     "Backend": {"Type": "$(param flannel_backend)"}}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: flannel, namespace: kube-system, labels: {app: flannel}}
spec:
  selector: {matchLabels: {app: flannel}}
  template:
    metadata: {labels: {app: flannel}}
    spec:
      hostNetwork: true
      serviceAccountName: flannel
      priorityClassName: system-node-critical
      tolerations:
      - {operator: Exists}
      initContainers:
      - name: plugins
        image: $plugins
        command: [sh, -c, 'cp -a -f /opt/cni/bin/. /host/opt/cni/bin/']
        volumeMounts:
        - {name: plugins, mountPath: /host/opt/cni/bin}
      - name: configuration
        image: $flannel
        command: [cp, -f, /etc/flannel/cni.json, /etc/cni/net.d/10-flannel.conflist]
        volumeMounts:
        - {name: cni, mountPath: /etc/cni/net.d}
        - {name: config, mountPath: /etc/flannel}
      containers:
      - name: flannel
        image: $flannel
        command: [/opt/bin/flanneld, --ip-masq, --kube-subnet-mgr, --net-config-path=/etc/flannel/net.json]
        env:
        - {name: POD_NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
        - {name: POD_NAMESPACE, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}}
        resources: {requests: {cpu: 100m, memory: 50Mi}}
        securityContext: {privileged: true}
        volumeMounts:
        - {name: run, mountPath: /run/flannel}
        - {name: config, mountPath: /etc/flannel}
      volumes:
      - {name: run, hostPath: {path: /run/flannel}}
      - {name: cni, hostPath: {path: /etc/cni/net.d}}
      - {name: plugins, hostPath: {path: /opt/cni/bin}}
      - {name: config, configMap: {name: flannel}}
END
apply() {
    kubectl apply --filename - <"$manifest"
}
retry 30 10 apply
