SELECT g.*
FROM (SELECT DISTINCT i.id FROM unnest(:ids::text[]) AS i (id) ORDER BY i.id) AS i CROSS JOIN LATERAL (
    SELECT g.id, g.name, g.rate_key, g.concurrency_key FROM {schema}.gates AS g
    WHERE g.id = i.id
    LIMIT 1
    FOR UPDATE SKIP LOCKED
) AS g
