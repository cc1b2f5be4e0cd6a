UPDATE stem_tasks
SET progress_sequence = j.sequence, progress = j.progress
FROM (
    SELECT
        json_extract(value, '$[0]') AS task, json_extract(value, '$[1]') AS nonce,
        json_extract(value, '$[2]') AS counter, json_extract(value, '$[4]') AS sequence,
        json_extract(value, '$[5]') AS progress
    FROM json_each(:rows)
) AS j
WHERE stem_tasks.id = j.task AND stem_tasks.nonce = j.nonce AND stem_tasks.fence = j.counter
    AND (stem_tasks.progress_sequence IS NULL OR stem_tasks.progress_sequence < j.sequence)
