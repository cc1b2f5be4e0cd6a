WITH clock AS MATERIALIZED (SELECT {now} AS now)
SELECT {message}, t.lost_by, t.lost_started, t.lost_backoff, t.lost_ack
FROM clock AS c CROSS JOIN (
    SELECT unnest(l.seqs) AS seq FROM {schema}.leases AS l WHERE l.nonce = :nonce
) AS s CROSS JOIN LATERAL (
    SELECT t.* FROM {schema}.tasks AS t WHERE t.seq = s.seq AND t.nonce = :nonce LIMIT 1
) AS t
ORDER BY t.place
