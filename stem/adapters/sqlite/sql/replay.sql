UPDATE stem_tasks
SET
    state = :state, due = :due, accepted_at = :now, generation = generation + 1,
    expires_at = CASE WHEN :due IS NOT NULL THEN :now + coalesce(
        (SELECT l.expires FROM stem_links AS l WHERE l.task = stem_tasks.id), expires_at - accepted_at
    ) END,
    attempt = 0, deliveries = 0, crashes = 0, lost = 0, parks = 0, worker = NULL,
    started_at = NULL, finished_at = NULL, result_until = NULL, keep_until = NULL,
    cancel_requested = 0, terminate_requested = 0, parked_for = NULL, parked_at = NULL, parked_reason = NULL, refused = NULL,
    bury_reason = NULL, error = NULL, result = NULL, progress_sequence = NULL, progress = NULL
WHERE id = :task
