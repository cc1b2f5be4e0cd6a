WITH clock AS MATERIALIZED (SELECT {now} AS now),
forgotten AS (DELETE FROM {schema}.leases AS l WHERE l.held <= 0),
late AS (
    SELECT t.id, t.fence, t.nonce, t.lease_until, t.lease, t.lease_until <= c.now AS expired
    FROM clock AS c CROSS JOIN (
        SELECT l.nonce, unnest(l.seqs) AS seq FROM {schema}.leases AS l WHERE l.held > 0
    ) AS s CROSS JOIN LATERAL (
        SELECT t.id, t.fence, t.nonce, t.lease_until, t.lease FROM {schema}.tasks AS t
        WHERE t.seq = s.seq AND t.nonce = s.nonce LIMIT 1
    ) AS t
    WHERE t.lease_until - t.lease + t.lease / 3 + :grace::bigint <= c.now OR t.lease_until > c.now + t.lease
)
SELECT s.*, EXISTS (SELECT FROM {schema}.leases AS l WHERE l.held > 0) AS any_held
FROM clock AS c LEFT JOIN late AS s ON true
