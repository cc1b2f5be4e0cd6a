ALTER TABLE stem_tasks ADD COLUMN watched INTEGER NOT NULL DEFAULT 0;

CREATE TABLE stem_links (
    task TEXT PRIMARY KEY,
    after_kind TEXT,
    after_id TEXT,
    grp TEXT,
    place INTEGER,
    waits_after INTEGER NOT NULL,
    waits_seal INTEGER NOT NULL,
    ended INTEGER NOT NULL DEFAULT 0,
    delay INTEGER NOT NULL,
    not_before INTEGER,
    expires INTEGER
) WITHOUT ROWID;

CREATE INDEX stem_links_after ON stem_links (after_id, after_kind) WHERE after_id IS NOT NULL;

CREATE UNIQUE INDEX stem_links_place ON stem_links (grp, place) WHERE place IS NOT NULL;

CREATE INDEX stem_links_group ON stem_links (grp, ended) WHERE grp IS NOT NULL;

CREATE TABLE stem_groups (
    id TEXT PRIMARY KEY,
    size INTEGER NOT NULL,
    policy TEXT NOT NULL,
    state TEXT NOT NULL,
    root TEXT NOT NULL,
    filled INTEGER NOT NULL DEFAULT 0,
    joined INTEGER NOT NULL DEFAULT 0,
    succeeded INTEGER NOT NULL DEFAULT 0,
    opened_at INTEGER NOT NULL,
    sealed_at INTEGER,
    closed_at INTEGER,
    result_ttl INTEGER NOT NULL,
    keep_until INTEGER,
    trailing INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

CREATE INDEX stem_groups_open ON stem_groups (opened_at) WHERE sealed_at IS NULL;

CREATE INDEX stem_groups_trailing ON stem_groups (id) WHERE trailing;

CREATE INDEX stem_groups_closed ON stem_groups (keep_until) WHERE keep_until IS NOT NULL;

CREATE TABLE stem_pauses (
    queue TEXT PRIMARY KEY,
    since INTEGER NOT NULL,
    reason TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE stem_revocations (
    task TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    terminate INTEGER NOT NULL,
    reason TEXT NOT NULL,
    requested_by TEXT NOT NULL,
    expires_at INTEGER
) WITHOUT ROWID;

CREATE INDEX stem_revocations_version ON stem_revocations (version, task);

CREATE INDEX stem_revocations_end ON stem_revocations (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE stem_broadcasts (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    channel TEXT NOT NULL,
    body BLOB NOT NULL,
    said_at INTEGER NOT NULL,
    keep_until INTEGER NOT NULL
);

CREATE INDEX stem_broadcasts_channel ON stem_broadcasts (channel, position);

CREATE INDEX stem_broadcasts_end ON stem_broadcasts (keep_until);

CREATE TABLE stem_locks (
    key TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    fence INTEGER NOT NULL,
    until INTEGER NOT NULL
) WITHOUT ROWID;

CREATE INDEX stem_locks_end ON stem_locks (until);

CREATE TABLE stem_lock_fence (
    latest INTEGER NOT NULL
);

INSERT INTO stem_lock_fence VALUES (0);

CREATE TABLE stem_schedules (
    id TEXT PRIMARY KEY,
    spec BLOB NOT NULL,
    enabled INTEGER NOT NULL,
    next_fire INTEGER,
    last_fire INTEGER,
    version INTEGER NOT NULL
) WITHOUT ROWID;

CREATE INDEX stem_schedules_due ON stem_schedules (next_fire, id) WHERE enabled AND next_fire IS NOT NULL;

CREATE TABLE stem_outcomes (
    task TEXT NOT NULL,
    generation INTEGER NOT NULL,
    state TEXT NOT NULL,
    result BLOB,
    error TEXT,
    bury_reason TEXT,
    result_ttl INTEGER NOT NULL,
    recorded_by TEXT NOT NULL,
    follow_ups TEXT NOT NULL,
    result_until INTEGER NOT NULL,
    keep_until INTEGER NOT NULL,
    PRIMARY KEY (task, generation)
) WITHOUT ROWID;

CREATE INDEX stem_outcomes_end ON stem_outcomes (keep_until);
