WITH clock AS MATERIALIZED (SELECT {now} AS now),
known AS MATERIALIZED (
    SELECT count(*) > 0 AS known FROM {schema}.workers AS w CROSS JOIN clock AS c
    WHERE w.fingerprint = :fingerprint AND c.now - w.last_seen <= :missed::bigint * w.every
),
seen AS (
    INSERT INTO {schema}.workers AS w (
        worker, host, pid, fingerprint, queues, concurrency, running, every, tasks, memory, replaces,
        first_seen, last_seen
    )
    SELECT
        :worker, :host, :pid::integer, :fingerprint, :queues::text[], :concurrency::integer, :running::integer,
        :every::bigint, :tasks::text, :memory::bigint, :replaces::text, c.now, c.now
    FROM clock AS c
    ON CONFLICT (worker) DO UPDATE SET
        host = excluded.host, pid = excluded.pid, fingerprint = excluded.fingerprint, queues = excluded.queues,
        concurrency = excluded.concurrency, running = excluded.running, every = excluded.every,
        tasks = excluded.tasks, memory = excluded.memory, replaces = excluded.replaces, last_seen = excluded.last_seen
),
forgotten AS (
    DELETE FROM {schema}.workers AS w USING clock AS c
    WHERE w.last_seen <= c.now - :seen_for::bigint AND w.worker <> :worker
),
told AS (
    SELECT array_agg(q.queue) AS queues, NULL::text[] AS tasks
    FROM unnest(:queues::text[]) AS q (queue)
    WHERE
        NOT (SELECT known FROM known)
        AND EXISTS (SELECT FROM {schema}.line AS t WHERE t.queue = q.queue AND t.parked_for IS NOT NULL)
)
SELECT told.queues, {notify} FROM told
