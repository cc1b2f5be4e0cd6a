SELECT json_group_array(json_array(l.task, l.grp, l.place, t.state))
FROM json_each(:ids) AS j CROSS JOIN stem_links AS l ON l.task = j.value CROSS JOIN stem_tasks AS t ON t.id = l.task
WHERE l.grp IS NOT NULL AND NOT l.ended
