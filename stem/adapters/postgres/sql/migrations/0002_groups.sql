ALTER TABLE {schema}.tasks
    ADD COLUMN awaited boolean NOT NULL DEFAULT false,
    ADD COLUMN held boolean NOT NULL DEFAULT false,
    ADD COLUMN wait bigint,
    ADD COLUMN not_before bigint,
    ADD COLUMN expires bigint,
    ADD COLUMN member_index bigint,
    ADD COLUMN after_kind text COLLATE "C",
    ADD COLUMN after_id text COLLATE "C",
    ADD COLUMN group_id text COLLATE "C";

CREATE INDEX tasks_after ON {schema}.tasks (after_id, after_kind, seq) WHERE after_id IS NOT NULL;

CREATE UNIQUE INDEX tasks_group ON {schema}.tasks (group_id, member_index) WHERE group_id IS NOT NULL;

ALTER TABLE {schema}.line
    ADD COLUMN state text COLLATE "C",
    ADD COLUMN group_id text COLLATE "C";

UPDATE {schema}.line AS l SET state = t.state FROM {schema}.tasks AS t WHERE t.seq = l.seq;

ALTER TABLE {schema}.line ALTER COLUMN state SET NOT NULL;

CREATE INDEX line_refused ON {schema}.line (queue, due) WHERE parked_for IS NOT NULL;

CREATE INDEX line_parked_at ON {schema}.line (queue, parked_at) WHERE parked_for IS NOT NULL;

CREATE TABLE {schema}.groups (
    opened_at bigint NOT NULL,
    closed_at bigint,
    keep_until bigint,
    result_ttl bigint NOT NULL,
    size bigint NOT NULL,
    filled bigint NOT NULL DEFAULT 0,
    joined bigint NOT NULL DEFAULT 0,
    succeeded bigint NOT NULL DEFAULT 0,
    loose bigint NOT NULL DEFAULT 0,
    id text COLLATE "C" PRIMARY KEY,
    policy text COLLATE "C" NOT NULL,
    state text COLLATE "C" NOT NULL,
    root text COLLATE "C" NOT NULL
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);

CREATE INDEX groups_until ON {schema}.groups (keep_until) WHERE keep_until IS NOT NULL;

CREATE TABLE {schema}.closing (
    id text COLLATE "C" PRIMARY KEY,
    swept boolean NOT NULL DEFAULT false
);

CREATE INDEX closing_now ON {schema}.closing (id) WHERE NOT swept;

CREATE TABLE {schema}.pinned (seq bigint PRIMARY KEY);

CREATE TABLE {schema}.tallies (
    delta bigint NOT NULL,
    queue text COLLATE "C",
    state text COLLATE "C",
    name text COLLATE "C"
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);

INSERT INTO {schema}.tallies (queue, state, name, delta)
SELECT t.queue, t.state, t.name, count(*) FROM {schema}.tasks AS t GROUP BY GROUPING SETS ((t.queue, t.state), (t.name));

CREATE TABLE {schema}.pauses (
    queue text COLLATE "C" PRIMARY KEY,
    since bigint NOT NULL,
    reason text NOT NULL
);

CREATE TABLE {schema}.revocations (
    version bigint NOT NULL,
    expires_at bigint,
    terminate boolean NOT NULL,
    task_id text COLLATE "C" PRIMARY KEY,
    reason text NOT NULL,
    requested_by text NOT NULL
);

CREATE INDEX revocations_order ON {schema}.revocations (version, task_id);

CREATE INDEX revocations_until ON {schema}.revocations (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE {schema}.positions (
    name text COLLATE "C" PRIMARY KEY,
    position bigint NOT NULL
) WITH (fillfactor = 10);

INSERT INTO {schema}.positions (name, position) VALUES ('broadcast', 0);

CREATE TABLE {schema}.broadcasts (
    position bigint PRIMARY KEY,
    at bigint NOT NULL,
    keep_until bigint NOT NULL,
    id text COLLATE "C" NOT NULL UNIQUE,
    channel text COLLATE "C" NOT NULL,
    body bytea NOT NULL
);

CREATE INDEX broadcasts_channel ON {schema}.broadcasts (channel, position);

CREATE INDEX broadcasts_until ON {schema}.broadcasts (keep_until);

CREATE SEQUENCE {schema}.lock_fences;

CREATE TABLE {schema}.locks (
    fence bigint NOT NULL,
    until bigint NOT NULL,
    key text COLLATE "C" PRIMARY KEY,
    owner text COLLATE "C" NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE {schema}.schedules (
    next_fire bigint,
    last_fire bigint,
    version bigint NOT NULL,
    enabled boolean NOT NULL,
    id text COLLATE "C" PRIMARY KEY,
    spec bytea NOT NULL
);

CREATE INDEX schedules_due ON {schema}.schedules (next_fire, id) WHERE enabled AND next_fire IS NOT NULL;

CREATE TABLE {schema}.outcomes (
    generation bigint NOT NULL,
    result_ttl bigint NOT NULL,
    result_until bigint NOT NULL,
    keep_until bigint NOT NULL,
    task_id text COLLATE "C" NOT NULL,
    state text COLLATE "C" NOT NULL,
    by text NOT NULL,
    follow_ups text NOT NULL,
    bury_reason text,
    error text,
    result bytea,
    PRIMARY KEY (task_id, generation)
);

CREATE INDEX outcomes_until ON {schema}.outcomes (keep_until);
