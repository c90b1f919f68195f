module github.com/go-magnum/magnum/drivers-k8s-coreos

go 1.26.0

require github.com/go-magnum/magnum/sdk v0.0.0

replace github.com/go-magnum/magnum/sdk => ../sdk/

replace github.com/go-magnum/magnum/sdk/k8s => ../sdk/k8s/
