WITH found AS MATERIALIZED (
    SELECT t.id FROM unnest(:kind::text[], :id::text[]) AS g (kind, id) CROSS JOIN LATERAL (
        SELECT t.id FROM {schema}.tasks AS t WHERE t.after_id = g.id AND t.after_kind = g.kind AND t.held OFFSET 0
    ) AS t
)
SELECT t.*
FROM (SELECT f.id FROM found AS f ORDER BY f.id) AS g CROSS JOIN LATERAL (
    SELECT
        t.id, t.state, t.held, t.awaited, t.generation, t.after_kind, t.after_id, t.group_id, t.member_index, t.seq
    FROM {schema}.tasks AS t
    WHERE t.id = g.id AND t.held
    LIMIT 1
    FOR UPDATE
) AS t
