UPDATE stem_gates
SET opens_at = j.at
FROM (SELECT json_extract(value, '$[0]') AS id, json_extract(value, '$[1]') AS at FROM json_each(:rows)) AS j
WHERE stem_gates.id = j.id
