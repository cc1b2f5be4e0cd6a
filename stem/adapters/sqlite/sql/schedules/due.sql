SELECT id, spec, enabled, next_fire, last_fire, version
FROM stem_schedules
WHERE enabled AND next_fire IS NOT NULL AND next_fire <= :now
ORDER BY next_fire, id
LIMIT :limit
