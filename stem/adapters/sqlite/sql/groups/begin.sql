UPDATE stem_links SET waits_seal = 0 WHERE grp = :id
