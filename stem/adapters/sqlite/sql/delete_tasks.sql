DELETE FROM stem_tasks WHERE seq IN (SELECT value FROM json_each(:seqs))
