WITH {found},
picked AS MATERIALIZED (
    SELECT f.*, t.name, t.rate_key, t.concurrency_key FROM found AS f CROSS JOIN LATERAL (
        SELECT t.name, t.rate_key, t.concurrency_key FROM {schema}.tasks AS t
        WHERE t.seq = f.seq
        LIMIT 1
        FOR UPDATE SKIP LOCKED
    ) AS t
    WHERE f.turn <= f.quota
)
SELECT
    p.at::text AS at, p.seq, p.queue, p.since, p.size, p.state, p.name, coalesce(p.rate_key, '') AS rate_key,
    coalesce(p.concurrency_key, '') AS concurrency_key, l.shared, l.interval, l.tolerance, l.concurrency
FROM picked AS p LEFT JOIN {schema}.limits AS l ON l.name = p.name
ORDER BY p.turn, p.queue
