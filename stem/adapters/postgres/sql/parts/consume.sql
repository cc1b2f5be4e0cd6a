given AS (
    SELECT g.*, g.least IS NOT NULL AS ended
    FROM (
        {rows
            task text, nonce text, counter bigint, number bigint, state text, delay bigint, error text, reason text,
            result bytea, least bigint, times integer
        }
    ) AS g
),
done AS (
    UPDATE {schema}.tasks AS t
    SET
        state = g.state,
        due = CASE WHEN NOT g.ended THEN coalesce(c.now + g.delay, t.published_at) END,
        attempt = t.attempt + CASE WHEN g.state = :retried THEN 1 ELSE 0 END,
        error = CASE WHEN g.state = ANY (:untouched::text[]) THEN t.error ELSE g.error END,
        result = CASE WHEN NOT t.ignore_result OR t.awaited THEN g.result END,
        bury_reason = g.reason,
        finished_at = CASE WHEN g.ended THEN c.now END,
        result_until = CASE WHEN g.ended AND (NOT t.ignore_result OR t.awaited) THEN c.now + t.result_ttl END,
        keep_until = CASE WHEN g.ended THEN c.now + greatest(g.least, g.times * t.result_ttl) END,
        used_fence = t.fence, used_nonce = t.nonce, used_number = g.number,
        nonce = NULL, lease = NULL, lease_until = NULL, started = false, backoff = NULL, ack = NULL,
        lost_by = NULL, lost_started = NULL, lost_backoff = NULL, lost_ack = NULL
    FROM given AS g CROSS JOIN (SELECT (SELECT now FROM clock) AS now) AS c
    WHERE {fenced} AND (:linked::boolean OR NOT (t.holds IS NOT NULL OR g.ended AND t.awaited))
    RETURNING
        t.id, t.seq, t.queue, t.priority, t.state, t.due, t.keep_until, t.refused_by, t.refused_until, t.unique_key,
        octet_length(t.body) AS size, CASE WHEN t.generation = 0 THEN t.group_id END AS group_id, g.nonce, g.ended,
        g.ended AND t.awaited AS awaited,
        CASE
            WHEN
                g.state = :good AND octet_length(g.result) <= :small::integer AND t.result_ttl > 0
                AND (NOT t.ignore_result OR t.awaited)
            THEN encode(g.result, 'hex')
        END AS news
),
back AS (
    INSERT INTO {schema}.line (seq, due, priority, size, queue, state, group_id, refused_by, refused_until)
    SELECT seq, due, priority, size, queue, state, group_id, refused_by, refused_until FROM done WHERE NOT ended
),
stirred AS (
    UPDATE {schema}.closing AS c SET swept = false
    FROM (SELECT DISTINCT group_id FROM done WHERE NOT ended AND group_id IS NOT NULL) AS d
    WHERE c.id = ANY (ARRAY[d.group_id]) AND c.swept
),
counted AS (
    INSERT INTO {schema}.tallies (queue, state, delta)
    SELECT d.queue, s.state, s.delta
    FROM (SELECT queue, state, count(*) AS tally FROM done GROUP BY queue, state) AS d
    CROSS JOIN LATERAL (VALUES (:leased, - d.tally), (d.state, d.tally)) AS s (state, delta)
),
kept AS (
    INSERT INTO {schema}.ended (keep_until, seqs)
    SELECT keep_until, array_agg(seq) FROM done WHERE ended GROUP BY keep_until
),
gone AS (SELECT d.nonce, count(*) AS tally FROM done AS d GROUP BY d.nonce ORDER BY d.nonce),
let_go AS (
    UPDATE {schema}.leases AS l SET held = l.held - g.tally
    FROM gone AS g WHERE l.nonce = ANY (ARRAY[g.nonce])
),
freed AS (
    DELETE FROM {schema}.uniques AS u USING done AS d
    WHERE
        d.ended AND d.unique_key IS NOT NULL AND u.key = ANY (ARRAY[d.unique_key])
        AND u.holder IS NOT DISTINCT FROM d.id AND u.until IS NULL
)
