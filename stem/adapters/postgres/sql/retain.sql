WITH clock AS MATERIALIZED (SELECT {now} AS now),
locked AS MATERIALIZED (
    SELECT e.ctid AS at, e.keep_until, e.seqs FROM {schema}.ended AS e
    WHERE e.keep_until <= (SELECT now FROM clock)
    ORDER BY e.keep_until
    LIMIT :most::bigint
    FOR UPDATE SKIP LOCKED
),
due AS (
    SELECT at, seqs, sum(cardinality(seqs)) OVER (ORDER BY keep_until, at) - cardinality(seqs) AS ahead FROM locked
),
numbered AS MATERIALIZED (
    SELECT d.at, s.seq, d.ahead + s.number AS number
    FROM due AS d CROSS JOIN LATERAL unnest(d.seqs) WITH ORDINALITY AS s (seq, number)
    WHERE d.ahead < :most::bigint
),
remaining AS MATERIALIZED (
    SELECT at, array_agg(seq ORDER BY number) FILTER (WHERE number > :most::bigint) AS seqs FROM numbered GROUP BY at
),
emptied AS (DELETE FROM {schema}.ended AS e USING remaining AS r WHERE e.ctid = r.at AND r.seqs IS NULL),
shortened AS (
    UPDATE {schema}.ended AS e SET seqs = r.seqs FROM remaining AS r WHERE e.ctid = r.at AND r.seqs IS NOT NULL
),
gone AS (
    DELETE FROM {schema}.tasks AS t USING numbered AS n
    WHERE
        n.number <= :most::bigint AND t.seq = ANY (ARRAY[n.seq]) AND t.keep_until <= (SELECT now FROM clock)
        AND NOT {pinned}
    RETURNING t.id, t.queue, t.name, t.state
),
kept AS (
    INSERT INTO {schema}.pinned (seq)
    SELECT t.seq FROM numbered AS n CROSS JOIN LATERAL (
        SELECT t.seq FROM {schema}.tasks AS t
        WHERE t.seq = n.seq AND t.keep_until <= (SELECT now FROM clock) AND {pinned} LIMIT 1
    ) AS t
    WHERE n.number <= :most::bigint
    ON CONFLICT (seq) DO NOTHING
),
{counted gone}
SELECT count(*) AS tally FROM gone
