DELETE FROM {schema}.closing AS c
WHERE c.swept AND NOT EXISTS (
    SELECT FROM {schema}.tasks AS t
    WHERE t.group_id = c.id AND t.generation = 0 AND t.state = ANY (:live::text[])
)
