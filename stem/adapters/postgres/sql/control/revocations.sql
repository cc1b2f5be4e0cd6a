SELECT r.task_id, r.version, r.terminate, r.reason, r.requested_by, r.expires_at
FROM {schema}.revocations AS r
WHERE
    (:version::bigint IS NULL OR (r.version, r.task_id) > (:version::bigint, :task::text))
    AND (r.expires_at IS NULL OR r.expires_at > {now})
ORDER BY r.version, r.task_id
LIMIT :most::bigint
