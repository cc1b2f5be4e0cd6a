SELECT id, spec, enabled, next_fire, last_fire, version
FROM stem_schedules WHERE id > :after ORDER BY id LIMIT :limit
