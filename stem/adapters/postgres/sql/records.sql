SELECT
    t.seq, t.id, t.name, t.queue, t.priority, t.state, t.body, t.published_at, coalesce(t.parked_at, t.due) AS due_at,
    t.expires_at, t.started_at, t.finished_at, t.result_until, t.attempt, t.max_retries, t.generation, t.deliveries,
    t.crashes, t.lost, t.fence, t.lease_until, t.worker, t.cancel_requested, t.terminate_requested, t.parked_reason,
    t.refused_by, t.bury_reason, t.error, t.result, t.ignore_result, t.progress, coalesce(t.root, t.id) AS root, t.parent,
    t.tags::text AS tags, t.after_kind, t.after_id, t.group_id, t.member_index, t.held,
    t.rate_key, t.concurrency_key, EXISTS (SELECT FROM {schema}.side AS s WHERE s.seq = t.seq) AS limited
FROM {schema}.tasks AS t
WHERE {conditions}
ORDER BY t.seq DESC
LIMIT :most::bigint
