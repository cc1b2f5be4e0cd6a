WITH clock AS MATERIALIZED (SELECT {now} AS now),
seen AS MATERIALIZED (
    SELECT p.seq, t.keep_until <= c.now AS over, t.keep_until <= c.now AND {pinned} AS pinned
    FROM clock AS c CROSS JOIN (SELECT p.seq FROM {schema}.pinned AS p FOR UPDATE SKIP LOCKED) AS p
    LEFT JOIN {schema}.tasks AS t ON t.seq = p.seq
),
free AS MATERIALIZED (SELECT s.seq, s.over FROM seen AS s WHERE s.pinned IS NOT TRUE LIMIT :most::bigint),
dropped AS (DELETE FROM {schema}.pinned AS p USING free AS f WHERE p.seq = ANY (ARRAY[f.seq])),
gone AS (
    DELETE FROM {schema}.tasks AS t USING free AS f WHERE f.over AND t.seq = ANY (ARRAY[f.seq])
    AND t.keep_until <= (SELECT now FROM clock)
    RETURNING t.id, t.queue, t.name, t.state
),
{counted gone}
SELECT count(*) AS tally FROM gone
