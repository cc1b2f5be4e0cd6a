SELECT t.*
FROM unnest(:task::text[], :nonce::text[], :counter::bigint[], :until::bigint[]) AS g (task, nonce, counter, until)
CROSS JOIN LATERAL (
    SELECT t.id, t.nonce, t.started, t.crashes, t.lost, t.attempt
    FROM {schema}.tasks AS t
    WHERE t.id = g.task AND t.nonce = g.nonce AND t.fence = g.counter AND t.lease_until = g.until
    LIMIT 1
    FOR UPDATE
) AS t
