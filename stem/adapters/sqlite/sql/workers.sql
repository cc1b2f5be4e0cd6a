SELECT json_group_array(json_array(
    worker, host, pid, fingerprint, json(queues), concurrency, running, every, tasks, memory, replaces,
    first_seen, last_seen
))
FROM (SELECT * FROM stem_workers WHERE last_seen > :since ORDER BY worker)
