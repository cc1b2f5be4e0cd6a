SELECT r.task_id, r.version, r.terminate, r.reason, r.requested_by, r.expires_at
FROM {schema}.revocations AS r
WHERE r.task_id = ANY (:ids::text[]) AND (:even_expired::boolean OR r.expires_at IS NULL OR r.expires_at > {now})
