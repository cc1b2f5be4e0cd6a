WITH {found},
limited AS MATERIALIZED (
    SELECT
        true AS declared,
        EXISTS (
            SELECT FROM unnest(:asked::text[]) AS w (queue) CROSS JOIN LATERAL (
                SELECT FROM {schema}.gates AS g
                WHERE g.queue = w.queue AND g.opens_at <= (SELECT now FROM clock) LIMIT 1
            ) AS g
            WHERE NOT EXISTS (SELECT FROM {schema}.pauses AS p WHERE p.queue = w.queue)
        )
        OR EXISTS (
            SELECT FROM found AS f CROSS JOIN LATERAL (
                SELECT t.name FROM {schema}.tasks AS t WHERE t.seq = f.seq LIMIT 1
            ) AS t CROSS JOIN LATERAL (SELECT FROM {schema}.limits AS l WHERE l.name = t.name LIMIT 1) AS l
        ) AS met
    WHERE EXISTS (SELECT FROM {schema}.limits)
),
{placed},
{claimed among limits}
