SELECT json_group_array(t.id)
FROM json_each(:rows) CROSS JOIN stem_tasks AS t ON t.id = json_extract(value, '$[0]')
WHERE t.nonce = json_extract(value, '$[1]') AND t.fence = json_extract(value, '$[2]')
    AND t.watched AND json_extract(value, '$[9]')
