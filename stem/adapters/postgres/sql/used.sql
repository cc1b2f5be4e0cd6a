SELECT g.task
FROM unnest(:task::text[], :nonce::text[], :counter::bigint[], :number::bigint[]) AS g (task, nonce, counter, number)
CROSS JOIN LATERAL (
    SELECT FROM {schema}.tasks AS t
    WHERE t.id = g.task AND t.used_nonce = g.nonce AND t.used_fence = g.counter AND t.used_number = g.number
    LIMIT 1
) AS t
