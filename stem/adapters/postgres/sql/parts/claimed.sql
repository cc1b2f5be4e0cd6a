{leased}
SELECT
    {its message}, d.tally,
    (
{next due}
    ) - c.now AS next_due,
    {opening} AS next_opening,
    EXISTS (SELECT FROM {schema}.leases AS l WHERE l.nonce = :nonce AND l.held > :given::bigint) AS held,
    (SELECT met FROM limited) IS TRUE AS limited, (SELECT declared FROM limited) IS TRUE AS among_limits,
    (SELECT frozen FROM cold) AND NOT :thawed::boolean AS frozen,
    EXISTS (SELECT FROM {schema}.closing AS l WHERE NOT l.swept) AS closing
FROM clock AS c LEFT JOIN done AS d ON true
ORDER BY d.place
