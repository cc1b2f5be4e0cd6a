DELETE FROM stem_limits WHERE name = :task
