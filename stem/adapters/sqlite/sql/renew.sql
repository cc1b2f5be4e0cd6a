UPDATE stem_tasks
SET lease_until = :now + j.lease, lease = j.lease
FROM (
    SELECT
        json_extract(value, '$[0]') AS task, json_extract(value, '$[1]') AS nonce,
        json_extract(value, '$[2]') AS counter, json_extract(value, '$[3]') AS lease
    FROM json_each(:rows)
) AS j
WHERE stem_tasks.id = j.task AND stem_tasks.nonce = j.nonce AND stem_tasks.fence = j.counter
