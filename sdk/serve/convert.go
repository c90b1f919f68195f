package serve

import (
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/go-magnum/magnum/sdk/driver"
	pb "github.com/go-magnum/magnum/sdk/driverpb"
)

// each converts a list; nil stays nil, which the wire cannot tell from empty.
func each[A, B any](in []A, convert func(A) B) []B {
	if len(in) == 0 {
		return nil
	}
	out := make([]B, len(in))
	for i, a := range in {
		out[i] = convert(a)
	}
	return out
}

// words converts a list of strings of different types.
func words[B, A ~string](in []A) []B {
	return each(in, func(a A) B { return B(a) })
}

// durationToPB leaves out zero, which means none everywhere in the contract.
func durationToPB(d time.Duration) *durationpb.Duration {
	if d == 0 {
		return nil
	}
	return durationpb.New(d)
}

func optionalInt64(n *int) *int64 {
	if n == nil {
		return nil
	}
	wide := int64(*n)
	return &wide
}

func optionalInt(n *int64) *int {
	if n == nil {
		return nil
	}
	narrow := int(*n)
	return &narrow
}

func clusterPatchToPB(p driver.ClusterPatch) *pb.ClusterPatch {
	return &pb.ClusterPatch{
		ApiAddress:       p.APIAddress,
		CoeVersion:       p.COEVersion,
		ContainerVersion: p.ContainerVersion,
		DiscoveryUrl:     p.DiscoveryURL,
	}
}

func clusterPatchFromPB(p *pb.ClusterPatch) driver.ClusterPatch {
	if p == nil {
		return driver.ClusterPatch{}
	}
	return driver.ClusterPatch{
		APIAddress:       p.ApiAddress,
		COEVersion:       p.CoeVersion,
		ContainerVersion: p.ContainerVersion,
		DiscoveryURL:     p.DiscoveryUrl,
	}
}

func nodeGroupPatchToPB(p driver.NodeGroupPatch) *pb.NodeGroupPatch {
	out := &pb.NodeGroupPatch{Name: p.Name, NodeCount: optionalInt64(p.NodeCount)}
	if p.NodeAddresses != nil {
		out.NodeAddresses = &pb.AddressList{Addresses: p.NodeAddresses}
	}
	return out
}

func nodeGroupPatchFromPB(p *pb.NodeGroupPatch) driver.NodeGroupPatch {
	out := driver.NodeGroupPatch{Name: p.GetName()}
	if p == nil {
		return out
	}
	out.NodeCount = optionalInt(p.NodeCount)
	if p.NodeAddresses != nil {
		// An empty list clears the addresses: it must not come out nil.
		out.NodeAddresses = append([]string{}, p.NodeAddresses.GetAddresses()...)
	}
	return out
}
