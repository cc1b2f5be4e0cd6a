CREATE TEMP VIEW stem_publish AS SELECT NULL AS rows, NULL AS bodies, NULL AS state, NULL AS now;

CREATE TEMP TRIGGER stem_publish_all INSTEAD OF INSERT ON stem_publish
BEGIN
    INSERT INTO stem_tasks (
        id, name, queue, priority, due, expires_at, result_ttl, ignore_result, max_retries,
        root, parent, tags, unique_key, unique_for, rate_key, concurrency_key,
        state, published_at, accepted_at
    )
    SELECT
        json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'),
        json_extract(value, '$[3]'), json_extract(value, '$[4]'), json_extract(value, '$[5]'),
        json_extract(value, '$[6]'), json_extract(value, '$[7]'), json_extract(value, '$[8]'),
        json_extract(value, '$[9]'), json_extract(value, '$[10]'), json_extract(value, '$[11]'),
        json_extract(value, '$[12]'), json_extract(value, '$[13]'),
        json_extract(value, '$[16]'), json_extract(value, '$[17]'), NEW.state, NEW.now, NEW.now
    FROM json_each(NEW.rows)
    WHERE true
    ON CONFLICT (id) DO NOTHING;

    INSERT INTO stem_envelopes (seq, body)
    SELECT t.seq, coalesce(substr(NEW.bodies, json_extract(value, '$[14]') + 1, json_extract(value, '$[15]')), x'')
    FROM json_each(NEW.rows) CROSS JOIN stem_tasks AS t ON t.id = json_extract(value, '$[0]')
    WHERE true
    ON CONFLICT (seq) DO NOTHING;
END;
