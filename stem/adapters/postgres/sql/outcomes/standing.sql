SELECT
    o.task_id, o.generation, o.state, o.result, o.error, o.bury_reason, o.result_ttl, o.by, o.follow_ups,
    o.result_until
FROM unnest(:task_id::text[], :generation::bigint[]) AS g (task_id, generation)
CROSS JOIN LATERAL (
    SELECT * FROM {schema}.outcomes AS o WHERE o.task_id = g.task_id AND o.generation = g.generation LIMIT 1
) AS o
