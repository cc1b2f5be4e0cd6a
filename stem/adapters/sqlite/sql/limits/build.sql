INSERT INTO stem_gates (queue, name, shared, rate_key, concurrency_key)
SELECT
    json_extract(value, '$[1]'), json_extract(value, '$[2]'), json_extract(value, '$[3]'), json_extract(value, '$[4]'),
    json_extract(value, '$[5]')
FROM json_each(:rows)
WHERE true
ON CONFLICT (queue, name, shared, rate_key, concurrency_key) DO NOTHING
