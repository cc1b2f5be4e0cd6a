SELECT min(t.due)
FROM unnest(:asked::text[]) AS w (queue) CROSS JOIN LATERAL (
    WITH RECURSIVE level (priority) AS (
        SELECT max(t.priority) FROM {schema}.line AS t WHERE t.queue = w.queue
        UNION ALL
        SELECT (SELECT max(t.priority) FROM {schema}.line AS t WHERE t.queue = w.queue AND t.priority < level.priority)
        FROM level WHERE level.priority IS NOT NULL
    )
    SELECT * FROM level WHERE level.priority IS NOT NULL
) AS level CROSS JOIN LATERAL (
    SELECT t.due FROM {schema}.line AS t
    WHERE
        t.queue = w.queue AND t.priority = level.priority AND t.due > (SELECT now FROM clock)
        AND NOT EXISTS (SELECT FROM chosen AS p WHERE p.seq = t.seq)
        AND (t.group_id IS NULL OR NOT EXISTS (SELECT FROM {schema}.closing AS c WHERE c.id = t.group_id))
    ORDER BY t.due, t.seq
    LIMIT 1
) AS t
WHERE NOT EXISTS (SELECT FROM {schema}.pauses AS p WHERE p.queue = w.queue)
