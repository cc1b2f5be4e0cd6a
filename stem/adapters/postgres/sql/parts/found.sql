clock AS MATERIALIZED (SELECT {now} AS now),
cold AS MATERIALIZED (
    SELECT EXISTS (
        SELECT FROM unnest(:asked::text[]) AS w (queue) CROSS JOIN LATERAL (
            SELECT FROM {schema}.line AS l
            WHERE l.queue = w.queue AND l.parked_for IS NOT NULL AND l.due <= (SELECT now FROM clock) LIMIT 1
        ) AS l
    ) AS frozen
),
wanted AS MATERIALIZED (
    SELECT * FROM unnest(:queues::text[], :quotas::integer[]) AS w (queue, quota)
    WHERE
        NOT EXISTS (SELECT FROM {schema}.leases AS l WHERE l.nonce = :nonce AND l.held > :given::bigint)
        AND NOT EXISTS (SELECT FROM {schema}.pauses AS p WHERE p.queue = w.queue)
        AND (:thawed::boolean OR NOT (SELECT frozen FROM cold))
),
found AS MATERIALIZED (
    SELECT m.*, row_number() OVER (PARTITION BY m.queue ORDER BY m.priority DESC, m.since, m.seq) AS turn, w.quota
    FROM wanted AS w CROSS JOIN LATERAL (
{candidates}
    ) AS m
)
