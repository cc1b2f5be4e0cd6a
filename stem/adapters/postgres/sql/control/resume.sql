WITH gone AS (DELETE FROM {schema}.pauses AS p WHERE p.queue = :queue RETURNING p.queue),
told AS (SELECT array_agg(queue) AS queues, NULL::text[] AS tasks FROM gone)
SELECT told.queues, {notify} FROM told
