-- Versions of drivers that are being removed: until then no cluster gets them.
-- +goose Up
CREATE TABLE driver_withdrawal (
    name VARCHAR(255) NOT NULL,
    version VARCHAR(64) NOT NULL,
    withdrawn_until BIGINT NOT NULL,
    PRIMARY KEY (name, version)
);

-- +goose Down
DROP TABLE driver_withdrawal;
