WITH clock AS MATERIALIZED (SELECT {now} AS now),
new AS (
    {rows
        id text, name text, queue text, priority integer, wait bigint, not_before bigint, expires bigint,
        result_ttl bigint, ignore_result boolean, max_retries integer, root text, parent text, tags text,
        unique_key text, unique_for bigint, rate_key text, concurrency_key text, body bytea, after_kind text,
        after_id text, group_id text, member_index bigint, held boolean, awaited boolean
    }
),
made AS (
    INSERT INTO {schema}.tasks (
        id, name, queue, priority, due, expires_at, result_ttl, ignore_result, max_retries, root, parent, tags,
        unique_key, unique_for, rate_key, concurrency_key, body, state, published_at, accepted_at, wait, not_before, expires, after_kind, after_id,
        group_id, member_index, held, awaited
    )
    SELECT
        g.id, g.name, g.queue, g.priority,
        CASE
            WHEN g.held THEN NULL WHEN g.not_before IS NULL THEN c.now + g.wait ELSE greatest(c.now, g.not_before)
        END,
        CASE WHEN NOT g.held OR (g.after_id IS NULL AND g.group_id IS NULL) THEN c.now + g.expires END,
        g.result_ttl, g.ignore_result, g.max_retries, g.root, g.parent, g.tags::jsonb, g.unique_key, g.unique_for,
        g.rate_key, g.concurrency_key, g.body, :initial, c.now, c.now, g.wait, g.not_before, g.expires, g.after_kind, g.after_id, g.group_id,
        g.member_index, g.held, g.awaited
    FROM new AS g CROSS JOIN clock AS c
    ON CONFLICT (id) DO NOTHING
    RETURNING seq, name, queue, priority, due, group_id, octet_length(body) AS size
),
lined AS (
    INSERT INTO {schema}.line (seq, due, priority, size, queue, state, group_id)
    SELECT seq, due, priority, size, queue, :initial, group_id FROM made WHERE due IS NOT NULL
),
counted AS (
    INSERT INTO {schema}.tallies (queue, name, state, delta)
    SELECT queue, name, CASE WHEN queue IS NOT NULL THEN :initial END, count(*)
    FROM made GROUP BY GROUPING SETS ((queue), (name))
)
SELECT count(*) AS made, array_agg(DISTINCT m.queue) FILTER (WHERE m.due IS NOT NULL) AS queues FROM made AS m
