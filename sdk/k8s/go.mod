module github.com/go-magnum/magnum/sdk/k8s

go 1.26.0

require github.com/go-magnum/magnum/sdk v0.0.0

require github.com/google/go-cmp v0.7.0

replace github.com/go-magnum/magnum/sdk => ../
