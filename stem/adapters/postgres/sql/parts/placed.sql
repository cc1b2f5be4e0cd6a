placed AS MATERIALIZED (
    SELECT
        f.at, f.seq, f.state, :given::bigint + row_number() OVER line AS place, sum(f.size) OVER line AS total,
        count(*) OVER () AS tally, NULL::text[] AS holds
    FROM found AS f WHERE f.turn <= f.quota
    WINDOW line AS (ORDER BY f.turn, f.queue ROWS UNBOUNDED PRECEDING)
),
chosen AS MATERIALIZED (
    SELECT * FROM placed AS p
    WHERE (p.place = 1 OR p.total <= :bytes::bigint) AND (SELECT met FROM limited) IS NOT TRUE
)
