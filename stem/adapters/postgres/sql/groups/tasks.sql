SELECT t.*
FROM unnest(:ids::text[]) AS g (id) CROSS JOIN LATERAL (
    SELECT
        t.id, t.state, t.held, t.awaited, t.generation, t.after_kind, t.after_id, t.group_id, t.member_index
    FROM {schema}.tasks AS t
    WHERE t.id = g.id
    LIMIT 1
    FOR UPDATE
) AS t
