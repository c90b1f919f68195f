-- Our tables beside upstream's. Times are microseconds since 1970 (UTC), 0 is
-- none: they are compared by the database and must not depend on how an
-- engine writes a date.
-- +goose Up

-- A request that was accepted. active_key is the cluster's uuid while the
-- operation is under way and null afterwards, so that the unique index holds
-- "one at a time" on every engine.
CREATE TABLE operation (
    id VARCHAR(36) NOT NULL PRIMARY KEY,
    cluster_uuid VARCHAR(36) NOT NULL,
    active_key VARCHAR(36),
    kind VARCHAR(20) NOT NULL,
    phase VARCHAR(64) NOT NULL,
    input TEXT,
    data TEXT,
    initiator TEXT NOT NULL,
    sealed_token BLOB,
    request_id VARCHAR(255) NOT NULL,
    owner VARCHAR(255) NOT NULL,
    fence BIGINT NOT NULL,
    lease_until BIGINT NOT NULL,
    not_before BIGINT NOT NULL,
    deadline BIGINT NOT NULL,
    attempts INTEGER NOT NULL,
    last_error TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    finished_at BIGINT NOT NULL,
    CONSTRAINT uniq_operation0active_key UNIQUE (active_key)
);
CREATE INDEX operation_cluster_uuid ON operation (cluster_uuid, created_at);

-- The driver that serves a cluster. revision grows with every write to the
-- cluster: it is what those writes compare and set.
CREATE TABLE cluster_driver (
    cluster_uuid VARCHAR(36) NOT NULL PRIMARY KEY,
    driver VARCHAR(255) NOT NULL,
    version VARCHAR(64) NOT NULL,
    revision BIGINT NOT NULL
);

-- Which rows of x509keypair belong to a cluster, and what for.
CREATE TABLE cluster_keypair (
    cluster_uuid VARCHAR(36) NOT NULL,
    purpose VARCHAR(32) NOT NULL,
    keypair_uuid VARCHAR(36) NOT NULL,
    PRIMARY KEY (cluster_uuid, purpose)
);

-- What the installed drivers say of themselves.
CREATE TABLE driver (
    name VARCHAR(255) NOT NULL,
    version VARCHAR(64) NOT NULL,
    digest VARCHAR(255) NOT NULL,
    active BOOLEAN NOT NULL,
    description TEXT NOT NULL,
    PRIMARY KEY (name, version)
);

-- +goose Down
DROP TABLE driver;
DROP TABLE cluster_keypair;
DROP TABLE cluster_driver;
DROP TABLE operation;
