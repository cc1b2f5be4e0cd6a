INSERT INTO stem_revocations (task, version, terminate, reason, requested_by, expires_at)
VALUES (:task_id, :version, :terminate, :reason, :requested_by, :expires_at)
ON CONFLICT (task) DO UPDATE SET
    version = excluded.version, terminate = excluded.terminate, reason = excluded.reason,
    requested_by = excluded.requested_by, expires_at = excluded.expires_at
WHERE excluded.version > stem_revocations.version OR stem_revocations.expires_at <= :now
