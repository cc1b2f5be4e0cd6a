DELETE FROM stem_schedules WHERE id = :schedule AND version = coalesce(:expected, version)
