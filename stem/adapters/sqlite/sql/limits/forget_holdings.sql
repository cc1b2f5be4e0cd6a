DELETE FROM stem_holdings WHERE id IN (SELECT value FROM json_each(:holdings)) AND holders <= 0
