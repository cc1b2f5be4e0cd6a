INSERT INTO stem_allowances (shared, key, ahead)
SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]')
FROM json_each(:rows)
WHERE true
ON CONFLICT (shared, key) DO UPDATE SET ahead = excluded.ahead
