SELECT
    json_group_array(json_array(
        t.id, t.name, t.queue, t.priority, t.state, t.published_at, coalesce(t.parked_at, t.due), t.expires_at, t.started_at, t.finished_at,
        t.result_until, t.attempt, t.max_retries, t.generation, t.deliveries, t.crashes, t.lost, t.fence, t.lease_until,
        t.worker, t.cancel_requested, t.terminate_requested, t.parked_reason, t.refused, t.bury_reason, t.error,
        t.ignore_result, t.progress, t.root, t.parent, t.tags,
        l.after_kind, l.after_id, l.grp, l.place, t.finished_at IS NULL AND (l.waits_after OR l.waits_seal),
        t.rate_key, t.concurrency_key, t.aside IS NOT NULL,
        t.seq, length(e.body), length(t.result)
    )),
    CAST(group_concat(e.body, '') AS BLOB),
    CAST(group_concat(t.result, '') AS BLOB)
FROM {source} CROSS JOIN stem_tasks AS t ON {joined} CROSS JOIN stem_envelopes AS e ON e.seq = t.seq
LEFT JOIN stem_links AS l ON l.task = t.id
