DELETE FROM {schema}.groups AS g
WHERE g.id = ANY (:groups::text[]) AND NOT EXISTS (SELECT FROM {schema}.tasks AS t WHERE t.group_id = g.id)
