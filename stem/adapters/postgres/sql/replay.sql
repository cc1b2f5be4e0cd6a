WITH done AS (
    UPDATE {schema}.tasks AS t
    SET
        state = :state, held = :held::boolean, wait = :delay::bigint, not_before = NULL,
        due = CASE WHEN NOT :held::boolean THEN :at::bigint + :delay::bigint END, accepted_at = :at::bigint,
        expires = coalesce(t.expires, t.expires_at - t.accepted_at),
        expires_at = CASE
            WHEN NOT :held::boolean THEN :at::bigint + coalesce(t.expires, t.expires_at - t.accepted_at)
        END,
        generation = t.generation + 1, attempt = 0, deliveries = 0, crashes = 0, lost = 0, parks = 0, worker = NULL,
        started_at = NULL, finished_at = NULL, result_until = NULL, keep_until = NULL,
        cancel_requested = false, terminate_requested = false, parked_at = NULL, parked_reason = NULL,
        refused_by = NULL, refused_until = NULL, bury_reason = NULL, error = NULL, result = NULL,
        progress_sequence = NULL, progress = NULL
    WHERE t.id = :task
    RETURNING t.seq, t.due, t.priority, octet_length(t.body) AS size, t.queue
),
counted AS (
    INSERT INTO {schema}.tallies (queue, state, delta)
    SELECT d.queue, s.state, s.delta
    FROM done AS d CROSS JOIN (VALUES (:was::text, -1), (:state, 1)) AS s (state, delta)
)
INSERT INTO {schema}.line (seq, due, priority, size, queue, state)
SELECT d.seq, d.due, d.priority, d.size, d.queue, :state FROM done AS d WHERE d.due IS NOT NULL
