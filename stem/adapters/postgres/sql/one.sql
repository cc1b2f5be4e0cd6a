WITH place AS MATERIALIZED (
    SELECT l.seq FROM {schema}.tasks AS t JOIN {schema}.line AS l
        ON l.queue = t.queue AND l.priority = t.priority AND l.due = t.due AND l.seq = t.seq
    WHERE t.id = :task
    FOR UPDATE OF l
)
SELECT
    t.state, t.queue, t.fence, t.nonce, t.used_fence, t.used_nonce, t.used_number, t.refused_by, t.refused_until,
    t.unique_key, t.unique_for, t.generation, t.awaited, t.after_kind, t.after_id, t.group_id, {now} AS now
FROM (SELECT count(*) FROM place) AS p CROSS JOIN LATERAL (
    SELECT t.* FROM {schema}.tasks AS t WHERE t.id = :task AND p.count >= 0 LIMIT 1 FOR UPDATE OF t
) AS t
