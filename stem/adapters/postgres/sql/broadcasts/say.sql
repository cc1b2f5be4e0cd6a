WITH clock AS MATERIALIZED (SELECT {now} AS now),
taken AS (
    UPDATE {schema}.positions AS p SET position = p.position + 1 WHERE p.name = 'broadcast' RETURNING p.position
),
said AS (
    INSERT INTO {schema}.broadcasts AS b (position, id, channel, body, at, keep_until)
    SELECT t.position, :message_id, :topic, :body, c.now, c.now + :keep::bigint FROM taken AS t CROSS JOIN clock AS c
    ON CONFLICT (id) DO UPDATE SET
        position = excluded.position, channel = excluded.channel, body = excluded.body, at = excluded.at,
        keep_until = excluded.keep_until
    WHERE b.keep_until <= excluded.at
    RETURNING b.channel
),
news AS (
    SELECT json_build_array(:sender::text, NULL, NULL, json_build_array(s.channel))::text AS news FROM said AS s
)
SELECT pg_notify(
    :channel::text,
    CASE WHEN octet_length(n.news) <= 7900 THEN n.news ELSE json_build_array(:sender::text)::text END
)
FROM news AS n
