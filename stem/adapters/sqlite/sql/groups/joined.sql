UPDATE stem_links SET ended = 1 WHERE task IN (SELECT value FROM json_each(:ids))
