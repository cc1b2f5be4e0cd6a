WITH waits AS (
    UPDATE {schema}.line AS l
    SET
        due = :due::bigint, parked_for = :parked_for::text[], parked_at = :parked_at::bigint,
        refused_by = :refused_by::text[], refused_until = :refused_until::bigint[]
    FROM {schema}.tasks AS t
    WHERE t.id = :task AND l.queue = t.queue AND l.priority = t.priority AND l.due = t.due AND l.seq = t.seq
)
UPDATE {schema}.tasks
SET
    started_at = NULL, due = :due::bigint, parks = parks + 1, parked_at = :parked_at::bigint, parked_reason = :reason,
    refused_by = :refused_by::text[], refused_until = :refused_until::bigint[]
WHERE id = :task
