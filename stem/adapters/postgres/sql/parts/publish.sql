new AS (
    {rows
        id text, name text, queue text, priority integer, wait bigint, not_before bigint, expires bigint,
        result_ttl bigint, ignore_result boolean, max_retries integer, root text, parent text, tags text,
        unique_key text, unique_for bigint, rate_key text, concurrency_key text, body bytea, by text
    }
),
made AS (
    INSERT INTO {schema}.tasks (
        id, name, queue, priority, due, expires_at, result_ttl, ignore_result, max_retries, root, parent, tags,
        unique_key, unique_for, rate_key, concurrency_key, body, state, published_at, accepted_at
    )
    SELECT
        g.id, g.name, g.queue, g.priority,
        CASE WHEN g.not_before IS NULL THEN c.now + g.wait ELSE greatest(c.now, g.not_before) END,
        c.now + g.expires, g.result_ttl, g.ignore_result, g.max_retries, g.root, g.parent, g.tags::jsonb,
        g.unique_key, g.unique_for, g.rate_key, g.concurrency_key, g.body, :initial, c.now, c.now
    FROM new AS g CROSS JOIN clock AS c
{allowed}    ON CONFLICT (id) DO NOTHING
    RETURNING seq, name, queue, priority, due, octet_length(body) AS size
),
lined AS (
    INSERT INTO {schema}.line (seq, due, priority, size, queue, state)
    SELECT seq, due, priority, size, queue, :initial FROM made
),
made_counted AS (
    INSERT INTO {schema}.tallies (queue, name, state, delta)
    SELECT queue, name, CASE WHEN queue IS NOT NULL THEN :initial END, count(*)
    FROM made GROUP BY GROUPING SETS ((queue), (name))
)
