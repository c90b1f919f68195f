-- The resources that made a cluster's last operation fail, as a JSON map.
-- +goose Up
ALTER TABLE cluster_driver ADD COLUMN faults TEXT;

-- +goose Down
ALTER TABLE cluster_driver DROP COLUMN faults;
