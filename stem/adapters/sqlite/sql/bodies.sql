SELECT CAST(group_concat(e.body, '') AS BLOB)
FROM json_each(:seqs) AS j CROSS JOIN stem_envelopes AS e ON e.seq = j.value
