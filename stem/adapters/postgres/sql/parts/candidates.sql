(
    SELECT r.* FROM (
        WITH RECURSIVE level (priority) AS (
            SELECT max(t.priority) FROM {schema}.line AS t WHERE t.queue = w.queue
            UNION ALL
            SELECT (
                SELECT max(t.priority) FROM {schema}.line AS t
                WHERE t.queue = w.queue AND t.priority < level.priority
            )
            FROM level WHERE level.priority IS NOT NULL
        )
        SELECT * FROM level WHERE level.priority IS NOT NULL
    ) AS level CROSS JOIN LATERAL (
        SELECT t.ctid AS at, t.seq, t.queue, t.priority, t.due AS since, t.size, t.state
        FROM {schema}.line AS t
        WHERE
            t.queue = w.queue AND t.priority = level.priority AND t.due <= (SELECT now FROM clock)
            AND t.parked_for IS NULL
            AND (t.group_id IS NULL OR NOT EXISTS (SELECT FROM {schema}.closing AS c WHERE c.id = t.group_id))
            AND (t.refused_by IS NULL OR NOT EXISTS (
                SELECT FROM unnest(t.refused_by, t.refused_until) AS r (fingerprint, until)
                WHERE r.fingerprint = :fingerprint AND r.until > (SELECT now FROM clock)
            ))
        ORDER BY t.due, t.seq
        LIMIT w.quota
        {lock}
    ) AS r
    LIMIT w.quota
)
UNION ALL
(
    SELECT p.* FROM (
        WITH RECURSIVE crowd (refusers) AS (
            (
                SELECT t.parked_for FROM {schema}.line AS t
                WHERE t.queue = w.queue AND t.parked_for IS NOT NULL ORDER BY t.parked_for LIMIT 1
            )
            UNION ALL
            SELECT n.parked_for FROM crowd CROSS JOIN LATERAL (
                SELECT t.parked_for FROM {schema}.line AS t
                WHERE t.queue = w.queue AND t.parked_for IS NOT NULL AND t.parked_for > crowd.refusers
                ORDER BY t.parked_for LIMIT 1
            ) AS n
        )
        SELECT refusers FROM crowd WHERE NOT :fingerprint = ANY (refusers)
    ) AS crowd CROSS JOIN LATERAL (
        SELECT t.ctid AS at, t.seq, t.queue, t.priority, t.parked_at AS since, t.size, t.state
        FROM {schema}.line AS t
        WHERE
            t.queue = w.queue AND t.parked_for IS NOT NULL AND t.parked_for = crowd.refusers
            AND (t.group_id IS NULL OR NOT EXISTS (SELECT FROM {schema}.closing AS c WHERE c.id = t.group_id))
        ORDER BY t.priority DESC, t.parked_at, t.seq
        LIMIT w.quota
        {lock}
    ) AS p
)
