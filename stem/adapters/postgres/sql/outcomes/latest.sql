SELECT
    o.task_id, o.generation, o.state, o.result, o.error, o.bury_reason, o.result_ttl, o.by, o.follow_ups,
    o.result_until
FROM unnest(:ids::text[]) AS g (task_id)
CROSS JOIN LATERAL (
    SELECT * FROM {schema}.outcomes AS o WHERE o.task_id = g.task_id ORDER BY o.generation DESC LIMIT 1
) AS o
