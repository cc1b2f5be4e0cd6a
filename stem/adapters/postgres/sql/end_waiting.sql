WITH clock AS MATERIALIZED (SELECT {now} AS now),
given AS MATERIALIZED (
    SELECT g.task, g.error, t.was, t.seq, t.queue, t.priority, t.due
    FROM unnest(:task::text[], :error::text[]) AS g (task, error) CROSS JOIN LATERAL (
        SELECT t.seq, t.queue, t.priority, t.due, t.state AS was FROM {schema}.tasks AS t
        WHERE t.id = g.task AND t.state = ANY (:waiting::text[]) LIMIT 1 FOR UPDATE
    ) AS t
),
left_line AS (
    DELETE FROM {schema}.line AS l USING given AS g
    WHERE l.queue = g.queue AND l.priority = g.priority AND l.due = g.due AND l.seq = g.seq
),
left_side AS (DELETE FROM {schema}.side AS s USING given AS g WHERE s.seq = ANY (ARRAY[g.seq])),
done AS (
    UPDATE {schema}.tasks AS t
    SET
        state = :state, error = g.error, due = NULL, held = false, parked_at = NULL, finished_at = c.now,
        result_until = CASE WHEN NOT t.ignore_result OR t.awaited THEN c.now + t.result_ttl END,
        keep_until = c.now + greatest(:least::bigint, :times::integer * t.result_ttl)
    FROM given AS g CROSS JOIN clock AS c
    WHERE t.seq = ANY (ARRAY[g.seq])
    RETURNING t.id, t.seq, t.queue, t.keep_until, t.unique_key, g.was
),
kept AS (
    INSERT INTO {schema}.ended (keep_until, seqs) SELECT keep_until, array_agg(seq) FROM done GROUP BY keep_until
),
counted AS (
    INSERT INTO {schema}.tallies (queue, state, delta)
    SELECT d.queue, s.state, s.delta
    FROM (SELECT queue, was, count(*) AS tally FROM done GROUP BY queue, was) AS d
    CROSS JOIN LATERAL (VALUES (d.was, - d.tally), (:state, d.tally)) AS s (state, delta)
),
freed AS (
    DELETE FROM {schema}.uniques AS u USING done AS d
    WHERE u.key = ANY (ARRAY[d.unique_key]) AND u.holder IS NOT DISTINCT FROM d.id AND u.until IS NULL
)
SELECT d.id FROM done AS d
