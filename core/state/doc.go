// Package state keeps everything that outlives a process: the rows of
// upstream Magnum, in upstream's tables and formats, and beside them our
// operations, leases, driver pins and published drivers. All SQL is here.
//
// # Rules
//
//  1. An accepted request is a cluster's row and an operation's row, written in
//     one transaction. A refused one changes no row.
//  2. At most one operation per cluster is active. Only a delete may take the
//     place of another one.
//  3. An operation is worked on by who claimed it. Each claim raises the fence,
//     and every later write names owner and fence; if they no longer hold, the
//     write changes nothing and the answer is [ErrFenced].
//  4. An operation is not claimed while another one of its cluster, superseded
//     by it, is still leased: its owner may be talking to the cloud.
//  5. Writes compare and set, on the fence and on the cluster's revision. No
//     statement relies on RETURNING, SKIP LOCKED or upserts.
//  6. A tenant sees a row only through the WHERE clause of a [Scope].
//  7. Where others are told of operations, the message is a row of the same
//     transaction as what it tells of. Where they are not, there is none.
//
// The functions that a caller passes to Accept, Advance, Finish and
// UpdateTemplate run inside a transaction: they must be quick, must not use
// the database, and may run more than once.
//
// # Engines
//
// SQLite is the one engine so far. It has one writing connection, whose
// transactions take the write lock at once, and a pool of reading ones, which
// never wait for it.
package state
