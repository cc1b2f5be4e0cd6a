INSERT INTO stem_workers (
    worker, host, pid, fingerprint, queues, concurrency, running, every, tasks, memory, replaces,
    first_seen, last_seen
)
VALUES (
    :worker, :host, :pid, :fingerprint, :queues, :concurrency, :running, :every, :tasks, :memory, :replaces,
    :now, :now
)
ON CONFLICT (worker) DO UPDATE SET
    host = excluded.host, pid = excluded.pid, fingerprint = excluded.fingerprint, queues = excluded.queues,
    concurrency = excluded.concurrency, running = excluded.running, every = excluded.every, tasks = excluded.tasks,
    memory = excluded.memory, replaces = excluded.replaces, last_seen = excluded.last_seen
