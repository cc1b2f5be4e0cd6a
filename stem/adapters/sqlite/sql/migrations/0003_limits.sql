ALTER TABLE stem_tasks ADD COLUMN rate_key TEXT;
ALTER TABLE stem_tasks ADD COLUMN concurrency_key TEXT;
ALTER TABLE stem_tasks ADD COLUMN holds INTEGER;
ALTER TABLE stem_tasks ADD COLUMN aside INTEGER;
ALTER TABLE stem_tasks ADD COLUMN aside_due INTEGER;

UPDATE stem_tasks SET parked_for = '[]' WHERE due IS NOT NULL AND refused IS NOT NULL AND parked_for IS NULL;

DROP INDEX stem_ready;
DROP INDEX stem_parked;

CREATE INDEX stem_ready ON stem_tasks (queue, priority DESC, due, seq)
WHERE due IS NOT NULL AND parked_for IS NULL AND aside IS NULL;

CREATE INDEX stem_parked ON stem_tasks (queue, parked_for, priority DESC, parked_at, seq)
WHERE parked_for IS NOT NULL AND aside IS NULL;

CREATE INDEX stem_refused ON stem_tasks (queue, due) WHERE parked_for IS NOT NULL AND aside IS NULL;

CREATE INDEX stem_aside ON stem_tasks (aside, priority DESC, aside_due, seq) WHERE aside IS NOT NULL;

CREATE TABLE stem_limits (
    name TEXT PRIMARY KEY,
    shared TEXT NOT NULL,
    interval INTEGER,
    tolerance INTEGER,
    concurrency INTEGER
) WITHOUT ROWID;

CREATE TABLE stem_allowances (
    shared TEXT NOT NULL,
    key TEXT NOT NULL,
    ahead INTEGER NOT NULL,
    PRIMARY KEY (shared, key)
) WITHOUT ROWID;

CREATE INDEX stem_allowances_end ON stem_allowances (ahead);

CREATE TABLE stem_holdings (
    id INTEGER PRIMARY KEY,
    shared TEXT NOT NULL,
    key TEXT NOT NULL,
    holders INTEGER NOT NULL,
    UNIQUE (shared, key)
);

CREATE TABLE stem_gates (
    id INTEGER PRIMARY KEY,
    queue TEXT NOT NULL,
    shared TEXT NOT NULL,
    rate_key TEXT NOT NULL,
    concurrency_key TEXT NOT NULL,
    opens_at INTEGER,
    UNIQUE (queue, shared, rate_key, concurrency_key)
);

CREATE INDEX stem_gates_open ON stem_gates (queue, opens_at, id) WHERE opens_at IS NOT NULL;

CREATE INDEX stem_gates_holding ON stem_gates (shared, concurrency_key);
