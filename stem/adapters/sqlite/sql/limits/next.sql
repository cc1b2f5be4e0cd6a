SELECT min((SELECT min(opens_at) FROM stem_gates WHERE queue = wanted.value AND opens_at IS NOT NULL))
FROM json_each(:queues) AS wanted
WHERE NOT EXISTS (SELECT 1 FROM stem_pauses AS p WHERE p.queue = wanted.value)
