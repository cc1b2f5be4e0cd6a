SELECT t.id
FROM unnest(:ids::text[]) AS g (id) CROSS JOIN LATERAL (SELECT * FROM {schema}.tasks AS t WHERE t.id = g.id LIMIT 1) AS t
WHERE {pinned}
