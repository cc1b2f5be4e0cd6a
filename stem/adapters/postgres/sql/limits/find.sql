SELECT l.name, l.shared, l.interval, l.tolerance, l.concurrency FROM {schema}.limits AS l ORDER BY l.name
