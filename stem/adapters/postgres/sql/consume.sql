WITH clock AS MATERIALIZED (SELECT {now} AS now),
{consume},
told AS (
    SELECT
        array_agg(id) AS done, array_agg(DISTINCT queue) FILTER (WHERE NOT ended) AS queues,
        array_agg(id) FILTER (WHERE ended) AS tasks,
        CASE WHEN count(news) > 0 THEN array_agg(news) FILTER (WHERE ended) END AS results
    FROM done
)
SELECT told.done, told.queues, told.tasks, NULL::text[] AS awaited, {notify ends} FROM told
