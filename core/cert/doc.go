// Package cert makes the certificates of a cluster and signs requests with
// them. Keys and certificates are kept as upstream's backend x509keypair keeps
// them, in rows that upstream can read.
//
// A cluster has three certificate authorities, for Kubernetes (or whatever the
// engine is), for etcd and for the front proxy, and a client certificate of
// this service. Beside them it has an RSA pair that signs service account
// tokens, kept as one more row: its certificate column holds the public key.
//
// # Rules
//
//  1. The main authority is CN=<cluster name>, as clients know it. The others
//     have names of their own: with equal ones a verifier may pick the wrong
//     authority (upstream does not tell them apart).
//  2. Everything issued names its issuer's key, so that authorities of the
//     same name can be told apart after a rotation.
//  3. The keys of a cluster are stored all at once, and the first who stores
//     them wins: Generate may be repeated after a crash, also by two processes.
//  4. A rotation never makes a third set, leaves none of two behind, and its
//     end, in whichever way, is one transaction with the operation's.
//  5. Nothing of a cluster is kept in memory: what is signed is signed with
//     what its row refers to at that moment.
//  6. No private key and no passphrase is part of an error.
package cert
