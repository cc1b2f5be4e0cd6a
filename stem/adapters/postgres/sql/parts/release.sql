done AS (
    UPDATE {schema}.tasks AS t
    SET
        held = false, accepted_at = c.now, expires_at = c.now + t.expires,
        due = CASE WHEN t.not_before IS NULL THEN c.now + t.wait ELSE greatest(c.now, t.not_before) END
    FROM given AS g CROSS JOIN clock AS c
    WHERE t.seq = ANY (ARRAY[g.seq])
    RETURNING t.seq, t.due, t.priority, octet_length(t.body) AS size, t.queue, t.state,
        CASE WHEN t.generation = 0 THEN t.group_id END AS group_id
),
lined AS (
    INSERT INTO {schema}.line (seq, due, priority, size, queue, state, group_id)
    SELECT seq, due, priority, size, queue, state, group_id FROM done
)
SELECT DISTINCT d.queue FROM done AS d
