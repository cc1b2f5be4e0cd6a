WITH clock AS MATERIALIZED (SELECT {now} AS now),
given AS (
    {rows task text, nonce text, counter bigint, number bigint, backoff text, ack text}
)
UPDATE {schema}.tasks AS t
SET started = true, started_at = c.now, backoff = g.backoff, ack = g.ack
FROM given AS g CROSS JOIN clock AS c
WHERE {fenced}
RETURNING t.id
