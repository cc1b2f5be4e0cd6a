locked AS MATERIALIZED (
    SELECT g.id FROM (SELECT DISTINCT m.id FROM met AS m ORDER BY m.id) AS m CROSS JOIN LATERAL (
        SELECT g.id FROM {schema}.gates AS g WHERE g.id = m.id LIMIT 1 FOR UPDATE
    ) AS g
)
UPDATE {schema}.gates AS g SET opens_at = c.now FROM locked AS o CROSS JOIN clock AS c
WHERE g.id = ANY (ARRAY[o.id])
RETURNING g.queue
