CREATE TABLE {schema}.limits (
    interval bigint,
    tolerance bigint,
    concurrency bigint,
    name text COLLATE "C" PRIMARY KEY,
    shared text COLLATE "C" NOT NULL
);

CREATE INDEX limits_shared ON {schema}.limits (shared);

CREATE TABLE {schema}.allowances (
    used bigint NOT NULL,
    kind text COLLATE "C" NOT NULL,
    shared text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    PRIMARY KEY (kind, shared, key)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);

CREATE TABLE {schema}.gates (
    opens_at bigint,
    id text COLLATE "C" PRIMARY KEY,
    queue text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    rate_key text COLLATE "C" NOT NULL,
    concurrency_key text COLLATE "C" NOT NULL
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);

CREATE INDEX gates_opening ON {schema}.gates (queue, opens_at) WHERE opens_at IS NOT NULL;

CREATE INDEX gates_holding ON {schema}.gates (name, concurrency_key);

CREATE TABLE {schema}.side (
    seq bigint PRIMARY KEY,
    since bigint NOT NULL,
    due bigint NOT NULL,
    parked_at bigint,
    priority integer NOT NULL,
    size integer NOT NULL,
    gate text COLLATE "C" NOT NULL,
    queue text COLLATE "C" NOT NULL,
    state text COLLATE "C" NOT NULL,
    group_id text COLLATE "C",
    parked_for text[] COLLATE "C",
    refused_by text[] COLLATE "C",
    refused_until bigint[]
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);

CREATE INDEX side_order ON {schema}.side (gate, priority DESC, since, seq);

CREATE INDEX side_since ON {schema}.side (queue, since);

ALTER TABLE {schema}.tasks
    ADD COLUMN rate_key text COLLATE "C",
    ADD COLUMN concurrency_key text COLLATE "C",
    ADD COLUMN holds text[] COLLATE "C";
