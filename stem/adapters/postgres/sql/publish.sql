WITH clock AS MATERIALIZED (SELECT {now} AS now),
{publish},
told AS (SELECT array_agg(DISTINCT queue) AS queues, NULL::text[] AS tasks FROM made)
SELECT {notify} FROM told
