UPDATE stem_tasks
SET
    fence = fence + 1, nonce = :nonce, lease = :lease, lease_until = :now + :lease, lost_by = worker, worker = :worker,
    deliveries = deliveries + 1, lost_started = started, lost_backoff = backoff, lost_ack = ack,
    started = 0, backoff = NULL, ack = NULL, crashes = j.crashes, lost = j.lost,
    attempt = j.attempt, place = j.place, progress_sequence = NULL
FROM (
    SELECT
        json_extract(value, '$[0]') AS task, json_extract(value, '$[1]') AS crashes, json_extract(value, '$[2]') AS lost,
        json_extract(value, '$[3]') AS attempt, key AS place
    FROM json_each(:rows)
) AS j
WHERE stem_tasks.id = j.task
