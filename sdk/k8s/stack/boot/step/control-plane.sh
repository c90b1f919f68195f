#!/bin/sh
# API server, controller manager and scheduler.
# shellcheck source=../lib.sh
. "$MAGNUM_LIB"
local=https://127.0.0.1:6443
kubeconfig admin.conf $local admin
kubeconfig controller-manager.conf $local controller-manager
kubeconfig scheduler.conf $local scheduler
unit kube-apiserver "Kubernetes API server" etcd.service
unit kube-controller-manager "Kubernetes controller manager" kube-apiserver.service
unit kube-scheduler "Kubernetes scheduler" kube-apiserver.service
