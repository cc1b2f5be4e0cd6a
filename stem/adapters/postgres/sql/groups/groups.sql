SELECT t.*
FROM unnest(:ids::text[]) AS g (id) CROSS JOIN LATERAL (
    SELECT t.id, t.size, t.policy, t.state, t.filled, t.joined, t.succeeded AS won, t.loose
    FROM {schema}.groups AS t
    WHERE t.id = g.id
    LIMIT 1
    FOR UPDATE
) AS t
