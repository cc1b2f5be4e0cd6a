SELECT json_group_array(json((
    SELECT json_group_array({gate}) FROM (
        SELECT * FROM stem_gates
        WHERE queue = wanted.value AND opens_at <= :now
        ORDER BY opens_at, id
        LIMIT :limit
    ) AS g {judged}
)))
FROM json_each(:queues) AS wanted
WHERE NOT EXISTS (SELECT 1 FROM stem_pauses AS p WHERE p.queue = wanted.value)
