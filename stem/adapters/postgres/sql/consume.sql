WITH clock AS MATERIALIZED (SELECT {now} AS now),
{consume},
told AS (
    SELECT
        array_agg(id) AS done, array_agg(DISTINCT queue) FILTER (WHERE NOT ended) AS queues,
        array_agg(id) FILTER (WHERE ended) AS tasks
    FROM done
)
SELECT told.done, told.queues, told.tasks, {notify} FROM told
