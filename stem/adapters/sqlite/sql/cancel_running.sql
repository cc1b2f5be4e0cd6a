UPDATE stem_tasks
SET cancel_requested = 1, terminate_requested = max(terminate_requested, :terminate)
WHERE id = :task
