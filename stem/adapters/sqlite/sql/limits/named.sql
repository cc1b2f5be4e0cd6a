SELECT json_group_array(l.name) FROM json_each(:names) AS j CROSS JOIN stem_limits AS l ON l.name = j.value
