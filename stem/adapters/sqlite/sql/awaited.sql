SELECT json_group_array(t.id)
FROM json_each(:ids) AS j CROSS JOIN stem_tasks AS t ON t.id = j.value
WHERE {pinned}
