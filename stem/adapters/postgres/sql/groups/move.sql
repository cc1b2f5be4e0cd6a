WITH clock AS MATERIALIZED (SELECT {now} AS now),
done AS (
    UPDATE {schema}.groups AS t
    SET
        state = g.state, filled = g.filled, joined = g.joined, succeeded = g.won, loose = g.loose,
        closed_at = CASE WHEN g.closes THEN c.now ELSE t.closed_at END,
        keep_until = CASE
            WHEN g.closes THEN c.now + greatest(:least::bigint, 2 * t.result_ttl)
            WHEN g.state = :sealed THEN NULL
            ELSE t.keep_until
        END
    FROM unnest(
        :id::text[], :state::text[], :filled::bigint[], :joined::bigint[], :won::bigint[], :loose::bigint[],
        :closes::boolean[]
    ) AS g (id, state, filled, joined, won, loose, closes) CROSS JOIN clock AS c
    WHERE t.id = ANY (ARRAY[g.id])
    RETURNING t.id, g.closes AND (t.joined < t.size OR t.loose > 0) AS lives
)
INSERT INTO {schema}.closing (id) SELECT d.id FROM done AS d WHERE d.lives ON CONFLICT (id) DO NOTHING
