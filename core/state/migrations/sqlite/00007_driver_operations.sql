-- Clusters whose driver makes them without Heat, and what such a driver has
-- under way. A row goes when the driver has said the last of its operation.
-- +goose Up
ALTER TABLE cluster_driver ADD COLUMN stackless BOOLEAN NOT NULL DEFAULT FALSE;

CREATE TABLE driver_operation (
    operation_id VARCHAR(36) NOT NULL PRIMARY KEY,
    cluster_uuid VARCHAR(36) NOT NULL,
    handle TEXT NOT NULL,
    state BLOB,
    seq BIGINT NOT NULL
);
CREATE INDEX driver_operation_cluster_uuid ON driver_operation (cluster_uuid);

-- +goose Down
DROP TABLE driver_operation;
ALTER TABLE cluster_driver DROP COLUMN stackless;
