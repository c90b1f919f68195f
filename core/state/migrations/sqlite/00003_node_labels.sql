-- Upstream's newer columns of a node group, in its names and types.
-- +goose Up
ALTER TABLE nodegroup ADD COLUMN node_labels TEXT;
ALTER TABLE nodegroup ADD COLUMN node_taints TEXT;

-- +goose Down
ALTER TABLE nodegroup DROP COLUMN node_taints;
ALTER TABLE nodegroup DROP COLUMN node_labels;
