WITH clock AS MATERIALIZED (SELECT {now} AS now)
SELECT o.task_id FROM {schema}.outcomes AS o
WHERE o.keep_until <= (SELECT now FROM clock) ORDER BY o.keep_until LIMIT :most::bigint
