WITH gone AS (
    DELETE FROM {schema}.tallies AS t
    WHERE t.ctid = ANY (ARRAY(SELECT o.ctid FROM {schema}.tallies AS o LIMIT :most::bigint FOR UPDATE SKIP LOCKED))
    RETURNING t.queue, t.state, t.name, t.delta
)
INSERT INTO {schema}.tallies (queue, state, name, delta)
SELECT g.queue, g.state, g.name, sum(g.delta) FROM gone AS g
GROUP BY g.queue, g.state, g.name HAVING sum(g.delta) <> 0
