UPDATE stem_tasks
SET holds = j.holding
FROM (
    SELECT json_extract(value, '$[0]') AS seq, h.id AS holding
    FROM json_each(:rows) CROSS JOIN stem_holdings AS h ON h.shared = json_extract(value, '$[1]')
        AND h.key = json_extract(value, '$[2]')
) AS j
WHERE stem_tasks.seq = j.seq
