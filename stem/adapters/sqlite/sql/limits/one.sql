SELECT name, shared, interval, tolerance, concurrency FROM stem_limits WHERE name = :task
