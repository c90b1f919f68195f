-- Events that the message bus is still to be told, in the order of their ids.
-- A row is written with what it tells of, and goes when it was delivered.
-- +goose Up
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    cluster_uuid VARCHAR(36) NOT NULL,
    event_type VARCHAR(64) NOT NULL,
    priority VARCHAR(16) NOT NULL,
    body TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

-- +goose Down
DROP TABLE outbox;
