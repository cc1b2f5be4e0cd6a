left_line AS (DELETE FROM {schema}.line AS l USING chosen AS p WHERE l.ctid = p.at),
done AS (
    UPDATE {schema}.tasks AS t
    SET
        state = :state, due = NULL, fence = t.fence + 1, nonce = :nonce, worker = :worker,
        deliveries = t.deliveries + 1, lease = {length}, lease_until = c.now + {length},
        started = p.place <= :started::bigint, place = p.place,
        began = t.started_at IS NOT NULL,
        started_at = CASE WHEN p.place <= :started::bigint THEN c.now ELSE t.started_at END,
        backoff = NULL, ack = NULL, parked_at = NULL, parked_reason = NULL,
        lost_by = NULL, lost_started = NULL, lost_backoff = NULL, lost_ack = NULL, progress_sequence = NULL,
        holds = p.holds
    FROM chosen AS p CROSS JOIN (SELECT (SELECT now FROM clock) AS now) AS c
    WHERE t.seq = ANY (ARRAY[p.seq])
    RETURNING {message}, t.place, p.tally, t.seq, p.state AS was
),
counted AS (
    INSERT INTO {schema}.tallies (queue, state, delta)
    SELECT d.queue, s.state, s.delta
    FROM (SELECT queue, was, count(*) AS tally FROM done GROUP BY queue, was) AS d
    CROSS JOIN LATERAL (VALUES (d.was, - d.tally), (:state, d.tally)) AS s (state, delta)
),
noted AS (
    INSERT INTO {schema}.leases AS l (nonce, held, seqs)
    SELECT :nonce, count(*), array_agg(d.seq) FROM done AS d HAVING count(*) > 0
    ON CONFLICT (nonce) DO UPDATE SET held = l.held + excluded.held, seqs = l.seqs || excluded.seqs
)
