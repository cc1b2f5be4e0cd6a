UPDATE stem_tasks
SET parked_for = j.refusers, parked_at = j.since, due = j.due
FROM (
    SELECT
        json_extract(value, '$[0]') AS seq, json_extract(value, '$[1]') AS refusers,
        json_extract(value, '$[2]') AS since, json_extract(value, '$[3]') AS due
    FROM json_each(:rows)
) AS j
WHERE stem_tasks.seq = j.seq
