WITH clock AS MATERIALIZED (SELECT {now} AS now),
locked AS MATERIALIZED (
    SELECT o.task_id, o.generation FROM {schema}.outcomes AS o
    WHERE o.task_id = ANY (:ids::text[]) AND o.keep_until <= (SELECT now FROM clock)
    ORDER BY o.task_id, o.generation
    FOR UPDATE
),
kept AS (
    UPDATE {schema}.outcomes AS o SET keep_until = c.now + :again::bigint
    FROM locked AS l CROSS JOIN clock AS c
    WHERE o.task_id = l.task_id AND o.generation = l.generation AND l.task_id = ANY (:needed::text[])
)
DELETE FROM {schema}.outcomes AS o USING locked AS l
WHERE o.task_id = l.task_id AND o.generation = l.generation AND NOT l.task_id = ANY (:needed::text[])
