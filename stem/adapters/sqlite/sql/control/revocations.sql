SELECT task, version, terminate, reason, requested_by, expires_at
FROM stem_revocations
WHERE (version, task) > (:version, :task) AND (expires_at IS NULL OR expires_at > :now)
ORDER BY version, task
LIMIT :limit
