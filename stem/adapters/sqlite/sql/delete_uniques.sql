DELETE FROM stem_uniques
WHERE key IN (SELECT json_extract(value, '$[0]') FROM json_each(:keys))
    AND holder IN (SELECT json_extract(value, '$[1]') FROM json_each(:keys))
    AND (until IS NULL OR until <= :now)
