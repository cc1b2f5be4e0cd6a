SELECT p.queue, p.since, p.reason FROM {schema}.pauses AS p ORDER BY p.queue
