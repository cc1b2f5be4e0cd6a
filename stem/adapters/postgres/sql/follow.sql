WITH clock AS MATERIALIZED (SELECT {now} AS now),
{consume},
{publish what was allowed},
told AS (
    SELECT
        array_agg(id) AS done,
        nullif(
            array_cat(
                array_agg(DISTINCT queue) FILTER (WHERE NOT ended), (SELECT array_agg(DISTINCT queue) FROM made)
            ),
            '{}'
        ) AS queues,
        array_agg(id) FILTER (WHERE ended) AS tasks, array_agg(id) FILTER (WHERE awaited) AS awaited,
        CASE WHEN count(news) > 0 THEN array_agg(news) FILTER (WHERE ended) END AS results
    FROM done
)
SELECT told.done, told.queues, told.tasks, told.awaited, {notify ends} FROM told
