UPDATE stem_tasks
SET
    state = :state, error = :error, due = NULL, parked_for = NULL, parked_at = NULL, finished_at = :now,
    result_until = CASE WHEN NOT (ignore_result AND NOT watched & 1) THEN :now + result_ttl END,
    keep_until = :now + max(:kept, :times * result_ttl)
WHERE id = :task
RETURNING watched, aside
