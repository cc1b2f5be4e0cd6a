WITH clock AS MATERIALIZED (SELECT {now} AS now)
INSERT INTO {schema}.revocations AS r (task_id, version, terminate, reason, requested_by, expires_at)
SELECT g.task_id, g.version, g.terminate, g.reason, g.requested_by, g.expires_at
FROM unnest(
    :task_id::text[], :version::bigint[], :terminate::boolean[], :reason::text[], :requested_by::text[],
    :expires_at::bigint[]
) AS g (task_id, version, terminate, reason, requested_by, expires_at)
ON CONFLICT (task_id) DO UPDATE SET
    version = excluded.version, terminate = excluded.terminate, reason = excluded.reason,
    requested_by = excluded.requested_by, expires_at = excluded.expires_at
WHERE excluded.version > r.version OR r.expires_at <= (SELECT now FROM clock)
