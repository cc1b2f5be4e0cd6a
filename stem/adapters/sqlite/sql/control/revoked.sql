SELECT r.task, r.version, r.terminate, r.reason, r.requested_by, r.expires_at
FROM json_each(:ids) AS j CROSS JOIN stem_revocations AS r ON r.task = j.value
WHERE r.expires_at IS NULL OR r.expires_at > :now
