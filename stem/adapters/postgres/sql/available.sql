WITH clock AS MATERIALIZED (SELECT {now} AS now)
SELECT w.queue, count(*) AS tally
FROM unnest(:queues::text[], :quotas::integer[]) AS w (queue, quota) CROSS JOIN LATERAL (
{candidates}
) AS m
WHERE NOT EXISTS (SELECT FROM {schema}.pauses AS p WHERE p.queue = w.queue)
GROUP BY w.queue
