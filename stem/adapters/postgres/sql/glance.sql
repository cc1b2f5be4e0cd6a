WITH clock AS MATERIALIZED (SELECT {now} AS now),
odd AS MATERIALIZED (
    SELECT
        EXISTS (SELECT FROM {schema}.leases AS l WHERE l.nonce = :nonce)
        OR EXISTS (SELECT FROM {schema}.pauses AS p WHERE p.queue = :queue)
        OR EXISTS (SELECT FROM {schema}.line AS l WHERE l.queue = :queue AND l.parked_for IS NOT NULL)
        OR EXISTS (SELECT FROM {schema}.closing) OR EXISTS (SELECT FROM {schema}.limits) AS found
),
head AS MATERIALIZED (
    SELECT l.ctid AS at, l.seq, l.priority, l.due, l.size, l.state, l.refused_by
    FROM {schema}.line AS l
    WHERE l.queue = :queue
    ORDER BY l.priority DESC, l.due, l.seq
    LIMIT :most::bigint
),
seen AS MATERIALIZED (
    SELECT
        count(*) >= :most::bigint AS cut, min(h.due) FILTER (WHERE h.due > c.now) AS next_due,
        (SELECT found FROM odd) OR coalesce(bool_or(h.refused_by IS NOT NULL), false)
        OR coalesce(sum(h.size), 0) > :bytes::bigint AS odd
    FROM head AS h CROSS JOIN (SELECT now FROM clock) AS c
),
chosen AS MATERIALIZED (
    SELECT k.at, k.seq, k.state, row_number() OVER () AS place, 0 AS tally, NULL::text[] AS holds
    FROM (
        SELECT h.at, h.seq, h.state
        FROM head AS h JOIN {schema}.line AS l ON l.ctid = h.at
        WHERE h.due <= (SELECT now FROM clock) AND NOT (SELECT odd FROM seen)
        ORDER BY h.priority DESC, h.due, h.seq
        LIMIT :limit::bigint
        FOR UPDATE OF l SKIP LOCKED
    ) AS k
),
{leased}
SELECT
    {its message}, CASE WHEN d.place > 1 THEN NULL ELSE s.cut END AS cut,
    CASE WHEN d.place > 1 THEN NULL ELSE s.odd END AS odd,
    CASE WHEN d.place > 1 THEN NULL ELSE s.next_due - c.now END AS next_due
FROM clock AS c CROSS JOIN seen AS s LEFT JOIN done AS d ON true
ORDER BY d.place
