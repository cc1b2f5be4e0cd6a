UPDATE stem_outcomes SET keep_until = :until
WHERE task IN (SELECT value FROM json_each(:ids)) AND keep_until <= :now
