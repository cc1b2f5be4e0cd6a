WITH clock AS MATERIALIZED (SELECT {now} AS now),
given AS (
    SELECT * FROM unnest(:task::text[], :nonce::text[], :counter::bigint[], :lease::bigint[])
    AS g (task, nonce, counter, lease)
)
UPDATE {schema}.tasks AS t
SET lease_until = c.now + g.lease, lease = g.lease
FROM given AS g CROSS JOIN clock AS c
WHERE {fenced}
RETURNING t.id, t.nonce, t.fence, t.cancel_requested, t.terminate_requested
