SELECT key, owner, fence, until FROM stem_locks WHERE key = :key AND until > :now
