WITH clock AS MATERIALIZED (SELECT {now} AS now)
INSERT INTO {schema}.outcomes (
    task_id, generation, state, result, error, bury_reason, result_ttl, by, follow_ups, result_until,
    keep_until
)
SELECT
    g.task_id, g.generation, g.state, g.result, g.error, g.bury_reason, g.result_ttl, g.by, g.follow_ups,
    c.now + g.result_ttl,
    c.now + greatest(:least::bigint, 2 * g.result_ttl)
FROM unnest(
    :task_id::text[], :generation::bigint[], :state::text[], :result::bytea[], :error::text[], :bury_reason::text[],
    :result_ttl::bigint[], :by::text[], :follow_ups::text[]
) AS g (task_id, generation, state, result, error, bury_reason, result_ttl, by, follow_ups) CROSS JOIN clock AS c
ON CONFLICT (task_id, generation) DO NOTHING
