-- The tables of upstream Magnum: its names, columns and types. Never add a
-- column to one of these; what is ours stands in tables beside them.
-- +goose Up

CREATE TABLE cluster (
    created_at DATETIME,
    updated_at DATETIME,
    id INTEGER NOT NULL PRIMARY KEY,
    project_id VARCHAR(255),
    user_id VARCHAR(255),
    uuid VARCHAR(36),
    name VARCHAR(255),
    cluster_template_id VARCHAR(255),
    keypair VARCHAR(255),
    docker_volume_size INTEGER,
    labels TEXT,
    master_flavor_id VARCHAR(255),
    flavor_id VARCHAR(255),
    stack_id VARCHAR(255),
    api_address VARCHAR(255),
    status VARCHAR(20),
    status_reason TEXT,
    health_status VARCHAR(20),
    health_status_reason TEXT,
    create_timeout INTEGER,
    discovery_url VARCHAR(255),
    coe_version VARCHAR(255),
    container_version VARCHAR(255),
    ca_cert_ref VARCHAR(512),
    magnum_cert_ref VARCHAR(512),
    etcd_ca_cert_ref VARCHAR(512),
    front_proxy_ca_cert_ref VARCHAR(512),
    fixed_network VARCHAR(255),
    fixed_subnet VARCHAR(255),
    floating_ip_enabled BOOLEAN,
    master_lb_enabled BOOLEAN,
    trust_id VARCHAR(255),
    trustee_username VARCHAR(255),
    trustee_user_id VARCHAR(255),
    trustee_password VARCHAR(255),
    CONSTRAINT uniq_bay0uuid UNIQUE (uuid)
);
CREATE INDEX cluster_project_id ON cluster (project_id);
CREATE INDEX cluster_name ON cluster (name);
CREATE INDEX cluster_cluster_template_id ON cluster (cluster_template_id);

CREATE TABLE cluster_template (
    created_at DATETIME,
    updated_at DATETIME,
    id INTEGER NOT NULL PRIMARY KEY,
    uuid VARCHAR(36),
    project_id VARCHAR(255),
    user_id VARCHAR(255),
    name VARCHAR(255),
    image_id VARCHAR(255),
    flavor_id VARCHAR(255),
    master_flavor_id VARCHAR(255),
    keypair_id VARCHAR(255),
    external_network_id VARCHAR(255),
    fixed_network VARCHAR(255),
    fixed_subnet VARCHAR(255),
    network_driver VARCHAR(255),
    volume_driver VARCHAR(255),
    dns_nameserver VARCHAR(255),
    apiserver_port INTEGER,
    docker_volume_size INTEGER,
    docker_storage_driver VARCHAR(255),
    cluster_distro VARCHAR(255),
    coe VARCHAR(255),
    http_proxy VARCHAR(255),
    https_proxy VARCHAR(255),
    no_proxy VARCHAR(255),
    registry_enabled BOOLEAN,
    labels TEXT,
    tls_disabled BOOLEAN,
    public BOOLEAN,
    server_type VARCHAR(255),
    insecure_registry VARCHAR(255),
    master_lb_enabled BOOLEAN,
    floating_ip_enabled BOOLEAN,
    hidden BOOLEAN,
    tags VARCHAR(255),
    driver VARCHAR(255),
    CONSTRAINT uniq_baymodel0uuid UNIQUE (uuid)
);
CREATE INDEX cluster_template_project_id ON cluster_template (project_id);
CREATE INDEX cluster_template_name ON cluster_template (name);

CREATE TABLE nodegroup (
    created_at DATETIME,
    updated_at DATETIME,
    id INTEGER NOT NULL PRIMARY KEY,
    uuid VARCHAR(36) NOT NULL,
    name VARCHAR(255) NOT NULL,
    cluster_id VARCHAR(255) NOT NULL,
    project_id VARCHAR(255) NOT NULL,
    docker_volume_size INTEGER,
    labels TEXT,
    flavor_id VARCHAR(255),
    image_id VARCHAR(255),
    node_addresses TEXT,
    node_count INTEGER,
    role VARCHAR(255),
    max_node_count INTEGER,
    min_node_count INTEGER,
    is_default BOOLEAN,
    stack_id VARCHAR(255),
    status VARCHAR(20),
    status_reason TEXT,
    version VARCHAR(20),
    CONSTRAINT uniq_nodegroup0uuid UNIQUE (uuid),
    CONSTRAINT uniq_nodegroup0cluster_id0name UNIQUE (cluster_id, name)
);

CREATE TABLE quotas (
    created_at DATETIME,
    updated_at DATETIME,
    id INTEGER NOT NULL PRIMARY KEY,
    project_id VARCHAR(255),
    resource VARCHAR(255) NOT NULL,
    hard_limit INTEGER NOT NULL,
    CONSTRAINT uniq_quotas0project_id0resource UNIQUE (project_id, resource)
);

CREATE TABLE x509keypair (
    created_at DATETIME,
    updated_at DATETIME,
    id INTEGER NOT NULL PRIMARY KEY,
    uuid VARCHAR(36),
    certificate TEXT,
    private_key TEXT,
    private_key_passphrase TEXT,
    intermediates TEXT,
    project_id VARCHAR(255),
    user_id VARCHAR(255),
    CONSTRAINT uniq_x509keypair0uuid UNIQUE (uuid)
);

CREATE TABLE magnum_service (
    created_at DATETIME,
    updated_at DATETIME,
    id INTEGER NOT NULL PRIMARY KEY,
    host VARCHAR(255),
    "binary" VARCHAR(255),
    disabled BOOLEAN,
    disabled_reason VARCHAR(255),
    last_seen_up DATETIME,
    forced_down BOOLEAN,
    report_count INTEGER NOT NULL,
    CONSTRAINT uniq_magnum_service0host0binary UNIQUE (host, "binary")
);

CREATE TABLE federation (
    created_at DATETIME,
    updated_at DATETIME,
    id INTEGER NOT NULL PRIMARY KEY,
    project_id VARCHAR(255),
    uuid VARCHAR(36),
    name VARCHAR(255),
    hostcluster_id VARCHAR(255),
    member_ids TEXT,
    status VARCHAR(20),
    status_reason TEXT,
    properties TEXT,
    CONSTRAINT uniq_federation0uuid UNIQUE (uuid)
);

-- +goose Down
DROP TABLE federation;
DROP TABLE magnum_service;
DROP TABLE x509keypair;
DROP TABLE quotas;
DROP TABLE nodegroup;
DROP TABLE cluster_template;
DROP TABLE cluster;
