UPDATE stem_tasks
SET due = :due, parks = parks + 1, parked_for = :parked_for, parked_at = :now, parked_reason = :reason, refused = :refused,
    started_at = NULL
WHERE id = :task
