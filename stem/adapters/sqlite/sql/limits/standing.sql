SELECT json_group_array(json_array(
    t.seq, l.shared, coalesce(t.rate_key, ''), coalesce(t.concurrency_key, ''),
    l.interval, l.tolerance, l.concurrency, coalesce(a.ahead, 0), coalesce(h.holders, 0)
))
FROM json_each(:seqs) AS j
CROSS JOIN stem_tasks AS t ON t.seq = j.value
CROSS JOIN stem_limits AS l ON l.name = t.name
LEFT JOIN stem_allowances AS a ON a.shared = l.shared AND a.key = coalesce(t.rate_key, '')
LEFT JOIN stem_holdings AS h ON h.shared = l.shared AND h.key = coalesce(t.concurrency_key, '')
