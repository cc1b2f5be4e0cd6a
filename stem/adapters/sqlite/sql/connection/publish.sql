CREATE TEMP VIEW stem_publish AS SELECT NULL AS rows, NULL AS bodies, NULL AS keys, NULL AS state, NULL AS now;

CREATE TEMP TRIGGER stem_publish_all INSTEAD OF INSERT ON stem_publish
BEGIN
    INSERT INTO stem_tasks (
        id, name, queue, priority, due, expires_at, result_ttl, ignore_result, max_retries,
        root, parent, tags, unique_key, unique_for, state, published_at, accepted_at
    )
    SELECT
        json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'),
        json_extract(value, '$[3]'), json_extract(value, '$[4]'), json_extract(value, '$[5]'),
        json_extract(value, '$[6]'), json_extract(value, '$[7]'), json_extract(value, '$[8]'),
        json_extract(value, '$[9]'), json_extract(value, '$[10]'), json_extract(value, '$[11]'),
        json_extract(value, '$[12]'), json_extract(value, '$[13]'), NEW.state, NEW.now, NEW.now
    FROM json_each(NEW.rows)
    WHERE true
    ON CONFLICT (id) DO NOTHING;

    UPDATE stem_tasks
    SET rate_key = j.rate_key, concurrency_key = j.concurrency_key
    FROM (
        SELECT
            json_extract(value, '$[0]') AS task, json_extract(value, '$[1]') AS rate_key,
            json_extract(value, '$[2]') AS concurrency_key
        FROM json_each(NEW.keys)
    ) AS j
    WHERE stem_tasks.id = j.task AND NOT EXISTS (SELECT 1 FROM stem_envelopes AS e WHERE e.seq = stem_tasks.seq);

    INSERT INTO stem_envelopes (seq, body)
    SELECT t.seq, coalesce(substr(NEW.bodies, json_extract(value, '$[14]') + 1, json_extract(value, '$[15]')), x'')
    FROM json_each(NEW.rows) CROSS JOIN stem_tasks AS t ON t.id = json_extract(value, '$[0]')
    WHERE true
    ON CONFLICT (seq) DO NOTHING;
END;
