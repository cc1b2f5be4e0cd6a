SELECT json_group_array(json_array(
    json_extract(value, '$[0]'),
    coalesce(t.nonce = json_extract(value, '$[1]') AND t.fence = json_extract(value, '$[2]'), 0)
))
FROM json_each(:rows) CROSS JOIN stem_tasks AS t ON t.id = json_extract(value, '$[0]')
WHERE
    (t.nonce = json_extract(value, '$[1]') AND t.fence = json_extract(value, '$[2]'))
    OR (
        t.used_nonce = json_extract(value, '$[1]') AND t.used_fence = json_extract(value, '$[2]')
        AND t.used_number = json_extract(value, '$[3]')
    )
