SELECT g.task, t.used
FROM unnest(:task::text[], :nonce::text[], :counter::bigint[], :number::bigint[]) AS g (task, nonce, counter, number)
CROSS JOIN LATERAL (
    SELECT
        t.used_nonce IS NOT DISTINCT FROM g.nonce AND t.used_fence = g.counter AND t.used_number = g.number AS used
    FROM {schema}.tasks AS t
    WHERE
        t.id = g.task AND (
            (t.used_nonce = g.nonce AND t.used_fence = g.counter AND t.used_number = g.number)
            OR (t.nonce = g.nonce AND t.fence = g.counter)
        )
    LIMIT 1
) AS t
