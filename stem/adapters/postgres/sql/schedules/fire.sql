UPDATE {schema}.schedules AS s SET last_fire = :expected::bigint, next_fire = :next_fire::bigint WHERE s.id = :schedule
