SELECT json_group_array(json_array(t.id, t.started, t.crashes, t.lost, t.attempt))
FROM json_each(:rows) CROSS JOIN stem_tasks AS t ON t.id = json_extract(value, '$[0]')
WHERE t.nonce = json_extract(value, '$[1]') AND t.fence = json_extract(value, '$[2]')
    AND t.lease_until = json_extract(value, '$[3]')
