SELECT json_group_array(json_array(json_extract(value, '$[4]'), t.cancel_requested, t.terminate_requested))
FROM json_each(:rows) CROSS JOIN stem_tasks AS t ON t.id = json_extract(value, '$[0]')
WHERE t.nonce = json_extract(value, '$[1]') AND t.fence = json_extract(value, '$[2]')
