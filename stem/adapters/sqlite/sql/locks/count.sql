UPDATE stem_lock_fence SET latest = max(latest, (SELECT max(fence) FROM stem_locks WHERE key = :key))
