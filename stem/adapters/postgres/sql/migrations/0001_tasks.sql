CREATE TABLE {schema}.tasks (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    published_at bigint NOT NULL,
    accepted_at bigint NOT NULL,
    due bigint,
    expires_at bigint,
    started_at bigint,
    finished_at bigint,
    result_until bigint,
    keep_until bigint,
    result_ttl bigint NOT NULL,
    fence bigint NOT NULL DEFAULT 0,
    lease bigint,
    lease_until bigint,
    used_fence bigint,
    used_number bigint,
    parked_at bigint,
    progress_sequence bigint,
    unique_for bigint,
    priority integer NOT NULL,
    max_retries integer NOT NULL,
    attempt integer NOT NULL DEFAULT 0,
    generation integer NOT NULL DEFAULT 0,
    deliveries integer NOT NULL DEFAULT 0,
    crashes integer NOT NULL DEFAULT 0,
    lost integer NOT NULL DEFAULT 0,
    parks integer NOT NULL DEFAULT 0,
    place integer,
    ignore_result boolean NOT NULL,
    started boolean NOT NULL DEFAULT false,
    began boolean NOT NULL DEFAULT false,
    lost_started boolean,
    cancel_requested boolean NOT NULL DEFAULT false,
    terminate_requested boolean NOT NULL DEFAULT false,
    id text COLLATE "C" NOT NULL UNIQUE,
    name text COLLATE "C" NOT NULL,
    queue text COLLATE "C" NOT NULL,
    state text COLLATE "C" NOT NULL,
    nonce text COLLATE "C",
    worker text COLLATE "C",
    backoff text,
    ack text,
    lost_by text,
    lost_backoff text,
    lost_ack text,
    used_nonce text COLLATE "C",
    parked_reason text,
    refused_by text[] COLLATE "C",
    refused_until bigint[],
    bury_reason text,
    error text,
    progress text,
    unique_key text COLLATE "C",
    root text COLLATE "C",
    parent text COLLATE "C",
    tags jsonb,
    body bytea NOT NULL,
    result bytea
) WITH (
    fillfactor = 50,
    autovacuum_vacuum_scale_factor = 0.02,
    autovacuum_vacuum_threshold = 5000,
    autovacuum_analyze_scale_factor = 0.05,
    autovacuum_vacuum_insert_scale_factor = 0.05,
    autovacuum_vacuum_cost_delay = 0
);

CREATE TABLE {schema}.line (
    seq bigint NOT NULL,
    due bigint NOT NULL,
    parked_at bigint,
    priority integer NOT NULL,
    size integer NOT NULL,
    queue text COLLATE "C" NOT NULL,
    parked_for text[] COLLATE "C",
    refused_by text[] COLLATE "C",
    refused_until bigint[]
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);

CREATE INDEX line_ready ON {schema}.line (queue, priority DESC, due, seq);

CREATE INDEX line_parked ON {schema}.line (queue, parked_for, priority DESC, parked_at, seq)
WHERE parked_for IS NOT NULL;

CREATE TABLE {schema}.leases (
    nonce text COLLATE "C" PRIMARY KEY,
    held integer NOT NULL,
    seqs bigint[] NOT NULL
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);

ALTER TABLE {schema}.leases ALTER COLUMN seqs SET STORAGE EXTERNAL;

CREATE TABLE {schema}.ended (
    keep_until bigint NOT NULL,
    seqs bigint[] NOT NULL
);

ALTER TABLE {schema}.ended ALTER COLUMN seqs SET STORAGE EXTERNAL;

CREATE INDEX ended_until ON {schema}.ended (keep_until);

CREATE TABLE {schema}.uniques (
    key text COLLATE "C" PRIMARY KEY,
    holder text COLLATE "C" NOT NULL,
    until bigint
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000);

CREATE INDEX uniques_until ON {schema}.uniques (until) WHERE until IS NOT NULL;

CREATE TABLE {schema}.workers (
    worker text COLLATE "C" PRIMARY KEY,
    host text NOT NULL,
    pid integer NOT NULL,
    fingerprint text COLLATE "C" NOT NULL,
    queues text[] NOT NULL,
    concurrency integer NOT NULL,
    running integer NOT NULL,
    every bigint NOT NULL,
    first_seen bigint NOT NULL,
    last_seen bigint NOT NULL
) WITH (fillfactor = 50);
