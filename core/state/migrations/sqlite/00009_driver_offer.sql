-- Which drivers each host's conductor can serve clusters with. What a driver
-- says of itself is kept once, for whichever hosts have the same package.
-- +goose Up
CREATE TABLE driver_offer (
    host VARCHAR(255) NOT NULL,
    name VARCHAR(255) NOT NULL,
    version VARCHAR(64) NOT NULL,
    digest VARCHAR(255) NOT NULL,
    active BOOLEAN NOT NULL,
    PRIMARY KEY (host, name, version)
);

CREATE TABLE driver_description (
    name VARCHAR(255) NOT NULL,
    version VARCHAR(64) NOT NULL,
    digest VARCHAR(255) NOT NULL,
    description TEXT NOT NULL,
    PRIMARY KEY (name, version, digest)
);

-- Which host had them is not on record; they count until a conductor publishes.
INSERT INTO driver_offer (host, name, version, digest, active) SELECT '', name, version, digest, active FROM driver;
INSERT INTO driver_description (name, version, digest, description) SELECT name, version, digest, description FROM driver;
DROP TABLE driver;

-- +goose Down
CREATE TABLE driver (
    name VARCHAR(255) NOT NULL,
    version VARCHAR(64) NOT NULL,
    digest VARCHAR(255) NOT NULL,
    active BOOLEAN NOT NULL,
    description TEXT NOT NULL,
    PRIMARY KEY (name, version)
);
DROP TABLE driver_description;
DROP TABLE driver_offer;
