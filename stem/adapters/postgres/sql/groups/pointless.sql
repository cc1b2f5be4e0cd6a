WITH live AS MATERIALIZED (
    SELECT t.* FROM {schema}.closing AS c CROSS JOIN LATERAL (
        SELECT t.id, t.group_id, t.seq, t.queue, t.priority, t.due FROM {schema}.tasks AS t
        WHERE t.group_id = c.id AND t.generation = 0 AND t.state = ANY (:waiting::text[]) OFFSET 0
    ) AS t
    WHERE NOT c.swept
    LIMIT :most::bigint
),
standing AS MATERIALIZED (
    SELECT t.id, t.group_id FROM live AS t CROSS JOIN LATERAL (
        SELECT FROM {schema}.line AS l
        WHERE l.queue = t.queue AND l.priority = t.priority AND l.due = t.due AND l.seq = t.seq
        LIMIT 1
        FOR UPDATE SKIP LOCKED
    ) AS l
    WHERE t.due IS NOT NULL
),
aside AS MATERIALIZED (
    SELECT t.id, t.group_id FROM live AS t CROSS JOIN LATERAL (
        SELECT FROM {schema}.side AS s WHERE s.seq = t.seq LIMIT 1 FOR UPDATE SKIP LOCKED
    ) AS s
    WHERE t.due IS NOT NULL
)
SELECT t.id, t.group_id FROM standing AS t
UNION ALL
SELECT t.id, t.group_id FROM aside AS t
UNION ALL
SELECT t.id, t.group_id FROM live AS t WHERE t.due IS NULL
