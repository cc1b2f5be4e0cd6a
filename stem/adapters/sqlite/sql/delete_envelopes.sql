DELETE FROM stem_envelopes WHERE seq IN (SELECT value FROM json_each(:seqs))
