INSERT INTO stem_workers (worker, host, pid, fingerprint, queues, concurrency, running, every, first_seen, last_seen)
VALUES (:worker, :host, :pid, :fingerprint, :queues, :concurrency, :running, :every, :now, :now)
ON CONFLICT (worker) DO UPDATE SET
    host = excluded.host, pid = excluded.pid, fingerprint = excluded.fingerprint, queues = excluded.queues,
    concurrency = excluded.concurrency, running = excluded.running, every = excluded.every,
    last_seen = excluded.last_seen
