SELECT
    o.task, o.generation, o.state, o.result, o.error, o.bury_reason, o.result_ttl, o.recorded_by, o.follow_ups,
    o.result_until
FROM json_each(:ids) AS j CROSS JOIN stem_outcomes AS o ON o.task = j.value
WHERE o.generation = (SELECT max(generation) FROM stem_outcomes WHERE task = j.value)
