WITH {found},
limited AS MATERIALIZED (
    SELECT l.declared, l.declared AS met FROM (SELECT EXISTS (SELECT FROM {schema}.limits) AS declared) AS l
),
{placed},
{claimed}
