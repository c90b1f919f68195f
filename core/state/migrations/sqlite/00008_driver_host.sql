-- How the drivers of each host stand, as its conductor reports.
-- +goose Up
CREATE TABLE driver_host (
    host VARCHAR(255) NOT NULL,
    name VARCHAR(255) NOT NULL,
    version VARCHAR(64) NOT NULL,
    digest VARCHAR(255) NOT NULL,
    active BOOLEAN NOT NULL,
    state VARCHAR(32) NOT NULL,
    pid INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    since BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    PRIMARY KEY (host, name, version)
);

-- +goose Down
DROP TABLE driver_host;
