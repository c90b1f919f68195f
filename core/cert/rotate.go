package cert

import (
	"context"
	"fmt"

	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/core/state"
)

// A rotation takes three steps, each of which may be repeated. Stage makes the
// next set beside the present one. Promote makes it the cluster's, and keeps
// the former one. Then either Retire removes the former, or Demote brings it
// back and removes the next. In between the cluster has two sets, never three,
// and all of them go with it.
//
// What happens to a set is said by what its keypairs are for.
const (
	next   = "next-"
	former = "old-"
)

func purposes() []string {
	return []string{forCA, forMagnum, forEtcdCA, forFrontProxyCA, forServiceAccount}
}

// Stage makes and stores the next set of a cluster's certificates, and of the
// service account's keys, for an operation that the caller owns. Where it is
// stored already nothing is made.
func (a *Authority) Stage(ctx context.Context, op *magnum.Operation, c *magnum.Cluster) error {
	have, err := a.config.Store.ClusterKeypairs(ctx, c.UUID)
	if err != nil {
		return fmt.Errorf("make the next certificates of cluster %s: %w", c.UUID, err)
	}
	if _, ok := have[next+forCA]; ok { // they are stored all at once
		return nil
	}
	made, err := a.makeAll(ctx, c)
	if err != nil {
		return fmt.Errorf("make the next certificates of cluster %s: %w", c.UUID, err)
	}
	staged := make(map[string]state.Keypair, len(made))
	for purpose, pair := range made {
		staged[next+purpose] = pair
	}
	if err := a.config.Store.StageKeypairs(ctx, op, staged); err != nil {
		return fmt.Errorf("store the next certificates of cluster %s: %w", c.UUID, err)
	}
	return nil
}

// refs are where a cluster's row refers to its keypairs, by what they are for.
// The service account's keys are in no column of it.
func refs(c *magnum.Cluster) map[string]*string {
	return map[string]*string{
		forCA: &c.CACertRef, forMagnum: &c.MagnumCertRef,
		forEtcdCA: &c.EtcdCACertRef, forFrontProxyCA: &c.FrontProxyCertRef,
	}
}

// Promote makes the staged set the cluster's own. It is a
// [state.KeypairChange].
func Promote(c *magnum.Cluster, pairs map[string]string) error {
	if pairs[next+forCA] == "" {
		return nil // done already
	}
	columns := refs(c)
	for _, purpose := range purposes() {
		column := columns[purpose]
		now := pairs[purpose]
		if now == "" && column != nil {
			now = *column // an adopted cluster's: only its row knows them
		}
		if now != "" {
			pairs[former+purpose] = now
		}
		pairs[purpose] = pairs[next+purpose]
		delete(pairs, next+purpose)
		if column != nil {
			*column = pairs[purpose]
		}
	}
	return nil
}

// Demote gives up the next set, and brings the former one back if the next had
// taken its place. It is a [state.KeypairChange].
func Demote(c *magnum.Cluster, pairs map[string]string) error {
	promoted := false
	for _, purpose := range purposes() {
		promoted = promoted || pairs[former+purpose] != ""
		delete(pairs, next+purpose)
	}
	if !promoted {
		return nil
	}
	columns := refs(c)
	for _, purpose := range purposes() {
		was := pairs[former+purpose]
		delete(pairs, former+purpose)
		if column := columns[purpose]; column != nil {
			*column = was
		}
		if was == "" {
			delete(pairs, purpose)
			continue
		}
		pairs[purpose] = was
	}
	return nil
}

// Retire removes the former set. It is a [state.KeypairChange].
func Retire(_ *magnum.Cluster, pairs map[string]string) error {
	for _, purpose := range purposes() {
		delete(pairs, former+purpose)
	}
	return nil
}
