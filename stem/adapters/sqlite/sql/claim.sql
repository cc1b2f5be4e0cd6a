UPDATE stem_tasks
SET
    state = :state, due = NULL, fence = fence + 1, nonce = :nonce, lease = j.lease, lease_until = :now + j.lease,
    worker = :worker, deliveries = deliveries + 1, started = j.started, place = j.place, backoff = NULL, ack = NULL,
    started_at = CASE WHEN j.started THEN :now ELSE started_at END, parked_for = NULL, parked_at = NULL, parked_reason = NULL,
    lost_by = NULL, lost_started = NULL, lost_backoff = NULL, lost_ack = NULL, progress_sequence = NULL
FROM (
    SELECT
        json_extract(value, '$[0]') AS seq, json_extract(value, '$[1]') AS lease,
        json_extract(value, '$[2]') AS started, key AS place
    FROM json_each(:rows)
) AS j
WHERE stem_tasks.seq = j.seq
