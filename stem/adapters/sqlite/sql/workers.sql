SELECT json_group_array(json_array(
    worker, host, pid, fingerprint, queues, concurrency, running, every, first_seen, last_seen
))
FROM (SELECT * FROM stem_workers WHERE last_seen > :since ORDER BY worker)
