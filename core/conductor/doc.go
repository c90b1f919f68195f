// Package conductor carries out what the API accepted. Each operation is a
// list of phases; every phase may be repeated, and what it found out is saved
// before the next one starts:
//
//	create            trust, certificates, render, stack, follow, outputs
//	update, resize    select, render, stack, follow, outputs
//	delete            pre-delete, (stack, follow of each node group), stack, follow, trust, certificates
//	create-nodegroup  render, stack, follow, outputs
//	update-nodegroup  render, stack, follow, outputs
//	delete-nodegroup  stack, follow
//	upgrade           render, stack, follow, outputs
//	rotate-ca         certificates, render, switch, stack, follow, outputs, (render, stack, follow of each node group)
//	rotate-credential trust, render, password, stack, follow, outputs, (render, stack, follow of each node group),
//	                  former-trust
//
// A cluster whose driver does without Heat has the same operations, but where a
// stack would be sent to Heat the driver begins (begin) and is listened to
// (watch), and what else is about stacks is left out.
//
// The default node groups are the cluster's stack; every other group has one
// of its own, whose name follows from the group's row. An operation changes
// the statuses of the groups it is about and of the cluster, which in the end
// has what all of its groups together make of it ([magnum.Aggregate]).
//
// A claimed operation is held by a lease that is renewed in the background.
// Whoever loses it, to another conductor or to a delete, stops: its context
// ends, and its writes change nothing. A crash loses no more than the phase it
// happened in, which the next owner repeats.
//
// An operation that waits for its stack takes no worker: the follower asks
// Heat for all such stacks together. Neither does one that listens to its driver.
package conductor
