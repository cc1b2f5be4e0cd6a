DELETE FROM stem_outcomes WHERE task IN (SELECT value FROM json_each(:ids)) AND keep_until <= :now
