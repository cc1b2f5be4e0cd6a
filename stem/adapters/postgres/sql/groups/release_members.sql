WITH clock AS MATERIALIZED (SELECT {now} AS now),
given AS MATERIALIZED (
    SELECT t.seq
    FROM unnest(:groups::text[]) AS g (id) CROSS JOIN LATERAL (
        SELECT t.seq, t.after_kind, t.after_id FROM {schema}.tasks AS t WHERE t.group_id = g.id AND t.held OFFSET 0
    ) AS t
    WHERE
        t.after_id IS NULL
        OR (t.after_kind = 'task' AND EXISTS (
            SELECT FROM {schema}.tasks AS u WHERE u.id = ANY (ARRAY[t.after_id]) AND u.state = :won
        ))
        OR (t.after_kind = 'group' AND EXISTS (
            SELECT FROM {schema}.groups AS u WHERE u.id = ANY (ARRAY[t.after_id]) AND u.state = :met
        ))
    ORDER BY t.seq
),
{release}
