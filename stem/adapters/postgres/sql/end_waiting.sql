WITH clock AS MATERIALIZED (SELECT {now} AS now),
left_line AS (
    DELETE FROM {schema}.line AS l USING {schema}.tasks AS t
    WHERE t.id = :task AND l.queue = t.queue AND l.priority = t.priority AND l.due = t.due AND l.seq = t.seq
),
done AS (
    UPDATE {schema}.tasks AS t
    SET
        state = :state, error = :error, due = NULL, parked_at = NULL, finished_at = c.now,
        result_until = CASE WHEN NOT t.ignore_result THEN c.now + t.result_ttl END,
        keep_until = c.now + greatest(:kept::bigint, 2 * t.result_ttl)
    FROM clock AS c
    WHERE t.id = :task
    RETURNING t.id, t.seq, t.keep_until, t.unique_key
),
kept AS (INSERT INTO {schema}.ended (keep_until, seqs) SELECT keep_until, ARRAY[seq] FROM done)
DELETE FROM {schema}.uniques AS u USING done AS d
WHERE u.key = ANY (ARRAY[d.unique_key]) AND u.holder IS NOT DISTINCT FROM d.id AND u.until IS NULL
