WITH clock AS MATERIALIZED (SELECT {now} AS now)
SELECT
    w.worker, w.host, w.pid, w.fingerprint, w.queues, w.concurrency, w.running, w.every, w.tasks, w.memory, w.replaces,
    w.first_seen, w.last_seen,
    c.now - w.last_seen > :missed::bigint * w.every AS late
FROM {schema}.workers AS w CROSS JOIN clock AS c
WHERE w.last_seen > c.now - :kept::bigint
ORDER BY w.worker
