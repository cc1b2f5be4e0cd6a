SELECT t.id
FROM (
    SELECT t.id FROM {schema}.tasks AS t WHERE t.group_id = ANY (:groups::text[]) AND t.held ORDER BY t.id OFFSET 0
) AS g CROSS JOIN LATERAL (SELECT t.id FROM {schema}.tasks AS t WHERE t.id = g.id LIMIT 1 FOR UPDATE) AS t
