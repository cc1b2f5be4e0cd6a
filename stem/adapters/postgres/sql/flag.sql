UPDATE {schema}.tasks
SET cancel_requested = true, terminate_requested = terminate_requested OR :terminate::boolean
WHERE id = :task
