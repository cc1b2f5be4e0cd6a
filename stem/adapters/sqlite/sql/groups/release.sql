UPDATE stem_tasks
SET
    due = CASE WHEN l.not_before IS NULL THEN :now + l.delay ELSE max(:now, l.not_before) END,
    expires_at = :now + l.expires, accepted_at = :now
FROM stem_links AS l
WHERE stem_tasks.id IN (SELECT value FROM json_each(:ids)) AND l.task = stem_tasks.id
    AND NOT l.waits_after AND NOT l.waits_seal
    AND stem_tasks.finished_at IS NULL AND stem_tasks.due IS NULL AND stem_tasks.lease_until IS NULL
