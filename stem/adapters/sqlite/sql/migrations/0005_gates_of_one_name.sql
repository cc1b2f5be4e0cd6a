UPDATE stem_tasks SET aside = NULL WHERE aside IS NOT NULL;

DROP TABLE stem_gates;

CREATE TABLE stem_gates (
    id INTEGER PRIMARY KEY,
    queue TEXT NOT NULL,
    name TEXT NOT NULL,
    shared TEXT NOT NULL,
    rate_key TEXT NOT NULL,
    concurrency_key TEXT NOT NULL,
    opens_at INTEGER,
    UNIQUE (queue, name, shared, rate_key, concurrency_key)
);

CREATE INDEX stem_gates_open ON stem_gates (queue, opens_at, id) WHERE opens_at IS NOT NULL;

CREATE INDEX stem_gates_holding ON stem_gates (shared, concurrency_key);
