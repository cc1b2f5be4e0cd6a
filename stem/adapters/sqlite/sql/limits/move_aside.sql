UPDATE stem_tasks
SET aside = j.gate, aside_due = coalesce(parked_at, due)
FROM (
    SELECT json_extract(value, '$[0]') AS seq, g.id AS gate
    FROM json_each(:rows) CROSS JOIN stem_gates AS g ON g.queue = json_extract(value, '$[1]')
        AND g.name = json_extract(value, '$[2]') AND g.shared = json_extract(value, '$[3]')
        AND g.rate_key = json_extract(value, '$[4]') AND g.concurrency_key = json_extract(value, '$[5]')
) AS j
WHERE stem_tasks.seq = j.seq
RETURNING aside
