SELECT name, shared, interval, tolerance, concurrency FROM stem_limits ORDER BY name
