WITH clock AS MATERIALIZED (SELECT {now} AS now),
met AS MATERIALIZED (
    SELECT g.id FROM (SELECT DISTINCT shared, key FROM unnest(:shared::text[], :key::text[]) AS h (shared, key)) AS h
    CROSS JOIN LATERAL (SELECT l.name FROM {schema}.limits AS l WHERE l.shared = h.shared OFFSET 0) AS l
    CROSS JOIN LATERAL (
        SELECT g.id FROM {schema}.gates AS g WHERE g.name = l.name AND g.concurrency_key = h.key OFFSET 0
    ) AS g
),
{stirred}
