WITH shut AS (
    INSERT INTO {schema}.gates AS g (id, queue, name, rate_key, concurrency_key, opens_at)
    SELECT o.id, o.queue, o.name, o.rate_key, o.concurrency_key, o.opens_at
    FROM unnest(
        :id::text[], :queue::text[], :name::text[], :rate_key::text[], :concurrency_key::text[], :opens_at::bigint[]
    ) AS o (id, queue, name, rate_key, concurrency_key, opens_at)
    ON CONFLICT (id) DO UPDATE SET opens_at = excluded.opens_at
),
moved AS (
    DELETE FROM {schema}.line AS l
    USING unnest(:at::text[], :since::bigint[], :gate::text[]) AS o (at, since, gate)
    WHERE l.ctid = o.at::tid
    RETURNING l.*, o.since, o.gate
)
INSERT INTO {schema}.side (
    seq, since, due, parked_at, priority, size, gate, queue, state, group_id, parked_for, refused_by, refused_until
)
SELECT
    m.seq, m.since, m.due, m.parked_at, m.priority, m.size, m.gate, m.queue, m.state, m.group_id, m.parked_for,
    m.refused_by, m.refused_until
FROM moved AS m
