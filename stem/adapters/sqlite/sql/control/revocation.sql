SELECT task, version, terminate, reason, requested_by, expires_at FROM stem_revocations WHERE task = :task
