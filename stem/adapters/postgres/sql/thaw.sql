WITH clock AS MATERIALIZED (SELECT {now} AS now),
over AS MATERIALIZED (
    SELECT
        o.at, o.seq,
        array_agg(r.fingerprint ORDER BY r.fingerprint) FILTER (WHERE r.until > c.now) AS pausing,
        coalesce(min(r.until) FILTER (WHERE r.until > c.now), o.parked_at) AS due
    FROM clock AS c CROSS JOIN unnest(:queues::text[]) AS w (queue) CROSS JOIN LATERAL (
        SELECT t.ctid AS at, t.seq, t.parked_at, t.refused_by, t.refused_until FROM {schema}.line AS t
        WHERE t.queue = w.queue AND t.parked_for IS NOT NULL AND t.due <= c.now
        ORDER BY t.due
        LIMIT :most::bigint
        FOR UPDATE SKIP LOCKED
    ) AS o CROSS JOIN LATERAL unnest(o.refused_by, o.refused_until) AS r (fingerprint, until)
    GROUP BY o.at, o.seq, o.parked_at
),
moved AS (UPDATE {schema}.line AS l SET parked_for = o.pausing, due = o.due FROM over AS o WHERE l.ctid = o.at)
UPDATE {schema}.tasks AS t SET due = o.due FROM over AS o WHERE t.seq = ANY (ARRAY[o.seq])
