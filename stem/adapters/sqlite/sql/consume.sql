UPDATE stem_tasks
SET
    state = j.state, due = CASE WHEN NOT j.ended THEN coalesce(j.due, published_at) END, attempt = attempt + j.used,
    error = CASE WHEN j.keep_error THEN stem_tasks.error ELSE j.error END,
    result = CASE WHEN (ignore_result AND NOT watched & 1) OR j.size IS NULL THEN NULL ELSE coalesce(substr(:results, j.at + 1, j.size), x'') END,
    bury_reason = j.reason,
    finished_at = CASE WHEN j.ended THEN :now END,
    result_until = CASE WHEN j.ended AND NOT (ignore_result AND NOT watched & 1) THEN :now + result_ttl END,
    keep_until = CASE WHEN j.ended THEN :now + max(j.kept, j.times * result_ttl) END,
    used_fence = stem_tasks.fence, used_nonce = stem_tasks.nonce, used_number = j.number,
    nonce = NULL, lease = NULL, lease_until = NULL, started = 0, backoff = NULL, ack = NULL,
    lost_by = NULL, lost_started = NULL, lost_backoff = NULL, lost_ack = NULL, holds = NULL
FROM (
    SELECT
        json_extract(value, '$[0]') AS task, json_extract(value, '$[1]') AS nonce,
        json_extract(value, '$[2]') AS counter, json_extract(value, '$[3]') AS number,
        json_extract(value, '$[4]') AS state, json_extract(value, '$[5]') AS due,
        json_extract(value, '$[6]') AS used, json_extract(value, '$[7]') AS keep_error,
        json_extract(value, '$[8]') AS error, json_extract(value, '$[9]') AS ended,
        json_extract(value, '$[10]') AS kept, json_extract(value, '$[11]') AS reason,
        json_extract(value, '$[12]') AS at, json_extract(value, '$[13]') AS size,
        json_extract(value, '$[14]') AS times
    FROM json_each(:rows)
) AS j
WHERE stem_tasks.id = j.task AND stem_tasks.nonce = j.nonce AND stem_tasks.fence = j.counter
    AND (:watched OR (stem_tasks.holds IS NULL AND NOT (j.ended AND stem_tasks.watched)))
