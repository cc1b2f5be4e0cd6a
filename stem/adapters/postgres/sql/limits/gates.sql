WITH clock AS MATERIALIZED (SELECT {now} AS now)
SELECT g.id, g.name, g.rate_key, g.concurrency_key
FROM (
    SELECT o.id, o.opens_at FROM unnest(:asked::text[]) AS w (queue) CROSS JOIN LATERAL (
        SELECT g.id, g.opens_at FROM {schema}.gates AS g
        WHERE g.queue = w.queue AND g.opens_at <= (SELECT now FROM clock)
        ORDER BY g.opens_at
        LIMIT :most::bigint
    ) AS o
    WHERE NOT EXISTS (SELECT FROM {schema}.pauses AS p WHERE p.queue = w.queue)
    ORDER BY o.opens_at, o.id
    LIMIT :most::bigint
) AS o CROSS JOIN LATERAL (
    SELECT g.* FROM {schema}.gates AS g
    WHERE g.id = o.id AND g.opens_at <= (SELECT now FROM clock)
    LIMIT 1
    FOR UPDATE SKIP LOCKED
) AS g
ORDER BY o.opens_at, o.id
