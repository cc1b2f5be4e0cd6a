SELECT min(g.opens_at)
FROM unnest(:asked::text[]) AS w (queue) CROSS JOIN LATERAL (
    SELECT g.opens_at FROM {schema}.gates AS g
    WHERE
        g.queue = w.queue AND g.opens_at IS NOT NULL AND EXISTS (SELECT FROM {schema}.side AS s WHERE s.gate = g.id)
    ORDER BY g.opens_at
    LIMIT 1
) AS g
WHERE
    NOT EXISTS (SELECT FROM {schema}.pauses AS p WHERE p.queue = w.queue)
