SELECT json_group_array({gate})
FROM json_each(:gates) AS j CROSS JOIN stem_gates AS g ON g.id = j.value {judged}
