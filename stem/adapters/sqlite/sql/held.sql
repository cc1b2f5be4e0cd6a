SELECT json_group_array({message}, {held}))
FROM stem_tasks AS t
WHERE t.nonce = :nonce AND t.lease_until IS NOT NULL
