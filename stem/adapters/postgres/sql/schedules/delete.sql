DELETE FROM {schema}.schedules AS s
WHERE s.id = :schedule AND (:expected::bigint IS NULL OR s.version = :expected::bigint)
RETURNING s.id
