gone AS (SELECT d.nonce, count(*) AS tally FROM done AS d GROUP BY d.nonce ORDER BY d.nonce),
let_go AS (
    UPDATE {schema}.leases AS l SET held = l.held - g.tally
    FROM gone AS g WHERE l.nonce = ANY (ARRAY[g.nonce])
)
