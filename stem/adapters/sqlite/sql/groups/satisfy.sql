UPDATE stem_links SET waits_after = 0 WHERE task IN (SELECT value FROM json_each(:ids))
