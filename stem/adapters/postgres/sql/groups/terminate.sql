UPDATE {schema}.tasks AS t SET cancel_requested = true, terminate_requested = true
FROM (
    SELECT t.id FROM {schema}.closing AS c CROSS JOIN LATERAL (
        SELECT t.id FROM {schema}.tasks AS t
        WHERE t.group_id = c.id AND t.generation = 0 AND t.state = :running AND NOT t.terminate_requested OFFSET 0
    ) AS t
    ORDER BY t.id
    LIMIT :most::bigint
) AS g
WHERE t.id = ANY (ARRAY[g.id]) AND t.state = :running
