UPDATE stem_locks SET until = :until WHERE key = :key AND owner = :owner AND until > :now
