WITH clock AS MATERIALIZED (SELECT {now} AS now),
sums AS MATERIALIZED (
    SELECT t.queue, t.state, sum(t.delta)::bigint AS tally, count(*) AS slips
    FROM {schema}.tallies AS t WHERE t.queue IS NOT NULL GROUP BY t.queue, t.state
),
oldest AS (
    SELECT q.queue, least(
        (
            WITH RECURSIVE level (priority) AS (
                SELECT max(t.priority) FROM {schema}.line AS t WHERE t.queue = q.queue
                UNION ALL
                SELECT (
                    SELECT max(t.priority) FROM {schema}.line AS t
                    WHERE t.queue = q.queue AND t.priority < level.priority
                )
                FROM level WHERE level.priority IS NOT NULL
            )
            SELECT min(d.due) FROM level CROSS JOIN LATERAL (
                SELECT t.due FROM {schema}.line AS t
                WHERE t.queue = q.queue AND t.priority = level.priority AND t.parked_for IS NULL
                ORDER BY t.due, t.seq LIMIT 1
            ) AS d
        ),
        (
            SELECT t.parked_at FROM {schema}.line AS t WHERE t.queue = q.queue AND t.parked_for IS NOT NULL
            ORDER BY t.parked_at LIMIT 1
        ),
        (SELECT t.since FROM {schema}.side AS t WHERE t.queue = q.queue ORDER BY t.since LIMIT 1)
    ) AS due
    FROM (SELECT DISTINCT s.queue FROM sums AS s WHERE s.tally <> 0) AS q
)
SELECT s.queue, s.state, s.tally, CASE WHEN o.due <= c.now THEN o.due END AS oldest, s.slips
FROM sums AS s CROSS JOIN clock AS c LEFT JOIN oldest AS o ON o.queue = s.queue
