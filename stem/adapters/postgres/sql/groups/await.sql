WITH clock AS MATERIALIZED (SELECT {now} AS now),
done AS (
    UPDATE {schema}.tasks AS t
    SET
        awaited = true,
        keep_until = CASE WHEN t.finished_at IS NOT NULL THEN greatest(t.keep_until, c.now + :least::bigint) END
    FROM unnest(:ids::text[]) AS g (id) CROSS JOIN clock AS c
    WHERE t.id = ANY (ARRAY[g.id])
    RETURNING t.seq, t.keep_until, t.finished_at
)
INSERT INTO {schema}.ended (keep_until, seqs)
SELECT d.keep_until, array_agg(d.seq) FROM done AS d WHERE d.finished_at IS NOT NULL GROUP BY d.keep_until
