SELECT l.key, l.owner, l.fence, l.until FROM {schema}.locks AS l WHERE l.key = :key AND l.until > {now}
