DELETE FROM {schema}.groups AS g
WHERE g.id IN (
    SELECT g.id FROM {schema}.groups AS g
    WHERE
        g.keep_until <= {now} AND g.closed_at IS NOT NULL
        AND NOT EXISTS (SELECT FROM {schema}.closing AS c WHERE c.id = g.id)
        AND NOT EXISTS (
            SELECT FROM {schema}.tasks AS d
            WHERE d.after_id = g.id AND d.after_kind = 'group' AND d.state = ANY (:live::text[])
        )
    ORDER BY g.keep_until
    LIMIT :most::bigint
)
