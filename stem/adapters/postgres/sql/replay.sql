WITH done AS (
    UPDATE {schema}.tasks
    SET
        state = :state, due = :at::bigint, accepted_at = :at::bigint,
        expires_at = :at::bigint + expires_at - accepted_at,
        generation = generation + 1, attempt = 0, deliveries = 0, crashes = 0, lost = 0, parks = 0, worker = NULL,
        started_at = NULL, finished_at = NULL, result_until = NULL, keep_until = NULL,
        cancel_requested = false, terminate_requested = false, parked_at = NULL, parked_reason = NULL,
        refused_by = NULL, refused_until = NULL, bury_reason = NULL, error = NULL, result = NULL,
        progress_sequence = NULL, progress = NULL
    WHERE id = :task
    RETURNING seq, due, priority, octet_length(body) AS size, queue
)
INSERT INTO {schema}.line (seq, due, priority, size, queue) SELECT seq, due, priority, size, queue FROM done
