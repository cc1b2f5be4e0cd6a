WITH changed AS (
    UPDATE {schema}.schedules AS s
    SET spec = :spec::bytea, next_fire = :next_fire::bigint, enabled = :enabled::boolean, version = s.version + 1
    WHERE s.id = :schedule AND s.version = :expected::bigint
    RETURNING {schedule}
),
made AS (
    INSERT INTO {schema}.schedules AS s (id, spec, next_fire, enabled, version)
    SELECT :schedule, :spec::bytea, :next_fire::bigint, :enabled::boolean, 1
    WHERE coalesce(:expected::bigint, 0) = 0
    ON CONFLICT (id) DO UPDATE SET
        spec = excluded.spec, next_fire = excluded.next_fire, enabled = excluded.enabled, version = s.version + 1
    WHERE :expected::bigint IS NULL
    RETURNING {schedule}
)
SELECT * FROM changed UNION ALL SELECT * FROM made
