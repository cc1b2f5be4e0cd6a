UPDATE {schema}.locks AS l SET until = {now} + :ttl::bigint
WHERE l.key = :key AND l.owner IS NOT DISTINCT FROM :owner AND l.until > {now}
RETURNING l.key, l.owner, l.fence, l.until
