INSERT INTO stem_limits (name, shared, interval, tolerance, concurrency)
VALUES (:task, :shared, :interval, :tolerance, :concurrency)
ON CONFLICT (name) DO UPDATE SET
    shared = excluded.shared, interval = excluded.interval, tolerance = excluded.tolerance,
    concurrency = excluded.concurrency
