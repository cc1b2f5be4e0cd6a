WITH opened AS MATERIALIZED (
    SELECT * FROM unnest(:id::text[], :room::bigint[], :later::bigint[])
    WITH ORDINALITY AS o (id, room, later, place)
),
first AS MATERIALIZED (
    SELECT s.* FROM (SELECT * FROM opened ORDER BY place) AS o CROSS JOIN LATERAL (
        SELECT s.* FROM {schema}.side AS s
        WHERE s.gate = o.id
        ORDER BY s.priority DESC, s.since, s.seq
        LIMIT o.room
        FOR UPDATE SKIP LOCKED
    ) AS s CROSS JOIN LATERAL (
        SELECT FROM {schema}.tasks AS t WHERE t.seq = s.seq LIMIT 1 FOR UPDATE SKIP LOCKED
    ) AS t
    LIMIT :most::bigint
),
left_side AS (DELETE FROM {schema}.side AS s USING first AS f WHERE s.seq = ANY (ARRAY[f.seq])),
lined AS (
    INSERT INTO {schema}.line (
        seq, due, parked_at, priority, size, queue, state, group_id, parked_for, refused_by, refused_until
    )
    SELECT
        f.seq, f.due, f.parked_at, f.priority, f.size, f.queue, f.state, f.group_id, f.parked_for, f.refused_by,
        f.refused_until
    FROM first AS f
),
stood AS MATERIALIZED (
    SELECT
        o.id, o.later, (SELECT count(*) FROM first AS f WHERE f.gate = o.id) >= o.room AS is_used_up,
        (
            SELECT true FROM {schema}.side AS s
            WHERE s.gate = o.id AND s.seq NOT IN (SELECT f.seq FROM first AS f)
            LIMIT 1
        ) IS TRUE AS is_left
    FROM opened AS o
),
emptied AS (DELETE FROM {schema}.gates AS g USING stood AS o WHERE g.id = ANY (ARRAY[o.id]) AND NOT o.is_left)
UPDATE {schema}.gates AS g SET opens_at = o.later FROM stood AS o
WHERE g.id = ANY (ARRAY[o.id]) AND o.is_left AND o.is_used_up
