WITH clock AS MATERIALIZED (SELECT {now} AS now),
given AS (
    SELECT * FROM unnest(:task::text[], :lost_nonce::text[], :crashes::integer[], :lost::integer[], :attempt::integer[])
    WITH ORDINALITY AS g (task, nonce, crashes, lost, attempt, place)
),
done AS (
    UPDATE {schema}.tasks AS t
    SET
        fence = t.fence + 1, nonce = :nonce, lease = :lease::bigint, lease_until = c.now + :lease::bigint,
        lost_by = t.worker, worker = :worker, deliveries = t.deliveries + 1, lost_started = t.started,
        lost_backoff = t.backoff, lost_ack = t.ack, started = false, backoff = NULL, ack = NULL,
        began = t.started_at IS NOT NULL, crashes = g.crashes, lost = g.lost, attempt = g.attempt, place = g.place,
        progress_sequence = NULL
    FROM given AS g CROSS JOIN clock AS c
    WHERE t.id = ANY (ARRAY[g.task])
    RETURNING t.seq, g.nonce
),
{let go}
INSERT INTO {schema}.leases AS l (nonce, held, seqs)
SELECT :nonce, count(*), array_agg(d.seq) FROM done AS d HAVING count(*) > 0
ON CONFLICT (nonce) DO UPDATE SET held = l.held + excluded.held, seqs = l.seqs || excluded.seqs
