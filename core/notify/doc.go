// Package notify tells other services what happens to clusters: events of the
// Cloud Auditing Data Federation in the envelopes of oslo.messaging, as
// upstream sends them, to the log or to RabbitMQ.
//
// An event is a row of the database's outbox, written in the transaction of
// what it tells of. One conductor at a time takes the rows from there and sends
// them, each until it was delivered: at least once, and those of one cluster in
// their order.
package notify
