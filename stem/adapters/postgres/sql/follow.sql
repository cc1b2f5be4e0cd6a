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
        array_agg(id) FILTER (WHERE ended) AS tasks
    FROM done
)
SELECT told.done, told.queues, told.tasks, {notify} FROM told
