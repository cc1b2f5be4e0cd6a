SELECT
    json_group_array(json_array(t.id, t.state, t.error, t.ignore_result AND t.result IS NULL, t.result_until, length(t.result))),
    CAST(group_concat(t.result, '') AS BLOB)
FROM json_each(:ids) AS j CROSS JOIN stem_tasks AS t ON t.id = j.value
