WITH done AS (
    UPDATE {schema}.tasks AS t
    SET bury_reason = NULL, keep_until = {now} + greatest(:least::bigint, :times::integer * t.result_ttl)
    WHERE
        t.id = :task AND t.bury_reason IS NOT NULL AND t.state = :state
        AND (:generation::bigint IS NULL OR t.generation <= :generation::bigint)
    RETURNING t.seq, t.keep_until
)
INSERT INTO {schema}.ended (keep_until, seqs) SELECT d.keep_until, ARRAY[d.seq] FROM done AS d
