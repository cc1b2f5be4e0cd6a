DELETE FROM stem_links WHERE task IN (SELECT value FROM json_each(:ids))
