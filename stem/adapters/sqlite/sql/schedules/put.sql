INSERT INTO stem_schedules (id, spec, enabled, next_fire, version)
VALUES (:schedule, :spec, :enabled, :next_fire, 1)
ON CONFLICT (id) DO UPDATE SET
    spec = excluded.spec, enabled = excluded.enabled, next_fire = excluded.next_fire,
    version = stem_schedules.version + 1
