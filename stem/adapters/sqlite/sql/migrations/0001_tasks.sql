CREATE TABLE stem_schema (
    version INTEGER NOT NULL,
    compatible_from INTEGER NOT NULL
);

CREATE TABLE stem_tasks (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    queue TEXT NOT NULL,
    priority INTEGER NOT NULL,
    state TEXT NOT NULL,
    published_at INTEGER NOT NULL,
    accepted_at INTEGER NOT NULL,
    due INTEGER,
    expires_at INTEGER,
    started_at INTEGER,
    finished_at INTEGER,
    result_until INTEGER,
    keep_until INTEGER,
    result_ttl INTEGER NOT NULL,
    ignore_result INTEGER NOT NULL,
    attempt INTEGER NOT NULL DEFAULT 0,
    max_retries INTEGER NOT NULL,
    generation INTEGER NOT NULL DEFAULT 0,
    deliveries INTEGER NOT NULL DEFAULT 0,
    crashes INTEGER NOT NULL DEFAULT 0,
    lost INTEGER NOT NULL DEFAULT 0,
    parks INTEGER NOT NULL DEFAULT 0,
    fence INTEGER NOT NULL DEFAULT 0,
    nonce TEXT,
    lease INTEGER,
    lease_until INTEGER,
    worker TEXT,
    started INTEGER NOT NULL DEFAULT 0,
    backoff TEXT,
    ack TEXT,
    lost_by TEXT,
    lost_started INTEGER,
    lost_backoff TEXT,
    lost_ack TEXT,
    place INTEGER,
    used_fence INTEGER,
    used_nonce TEXT,
    used_number INTEGER,
    cancel_requested INTEGER NOT NULL DEFAULT 0,
    terminate_requested INTEGER NOT NULL DEFAULT 0,
    parked_for TEXT,
    parked_at INTEGER,
    parked_reason TEXT,
    refused TEXT,
    bury_reason TEXT,
    error TEXT,
    progress_sequence INTEGER,
    progress TEXT,
    unique_key TEXT,
    unique_for INTEGER,
    root TEXT NOT NULL,
    parent TEXT,
    tags TEXT,
    result BLOB
);

CREATE TABLE stem_envelopes (
    seq INTEGER PRIMARY KEY,
    body BLOB NOT NULL
);

CREATE INDEX stem_ready ON stem_tasks (queue, priority DESC, due, seq) WHERE due IS NOT NULL;

CREATE INDEX stem_parked ON stem_tasks (queue, parked_for, priority DESC, parked_at, seq) WHERE parked_for IS NOT NULL;

CREATE INDEX stem_leased ON stem_tasks (nonce) WHERE lease_until IS NOT NULL;

CREATE INDEX stem_ended ON stem_tasks (keep_until) WHERE keep_until IS NOT NULL;

CREATE TABLE stem_uniques (
    key TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    until INTEGER
) WITHOUT ROWID;

CREATE TABLE stem_workers (
    worker TEXT PRIMARY KEY,
    host TEXT NOT NULL,
    pid INTEGER NOT NULL,
    fingerprint TEXT NOT NULL,
    queues TEXT NOT NULL,
    concurrency INTEGER NOT NULL,
    running INTEGER NOT NULL,
    every INTEGER NOT NULL,
    first_seen INTEGER NOT NULL,
    last_seen INTEGER NOT NULL
) WITHOUT ROWID;
