UPDATE stem_tasks
SET started = 1, started_at = :now, backoff = j.backoff, ack = j.ack
FROM (
    SELECT
        json_extract(value, '$[0]') AS task, json_extract(value, '$[1]') AS nonce,
        json_extract(value, '$[2]') AS counter, json_extract(value, '$[4]') AS backoff,
        json_extract(value, '$[5]') AS ack
    FROM json_each(:rows)
) AS j
WHERE stem_tasks.id = j.task AND stem_tasks.nonce = j.nonce AND stem_tasks.fence = j.counter
