DELETE FROM stem_locks WHERE key = :key AND owner = :owner AND until > :now
