WITH clock AS MATERIALIZED (SELECT {now} AS now),
given AS (
    SELECT * FROM unnest(
        :task::text[], :nonce::text[], :counter::bigint[], :number::bigint[], :backoff::text[], :ack::text[]
    ) AS g (task, nonce, counter, number, backoff, ack)
)
UPDATE {schema}.tasks AS t
SET started = true, started_at = c.now, backoff = g.backoff, ack = g.ack
FROM given AS g CROSS JOIN clock AS c
WHERE {fenced}
RETURNING t.id
