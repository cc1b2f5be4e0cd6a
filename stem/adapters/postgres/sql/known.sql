SELECT t.id FROM {schema}.tasks AS t WHERE t.id = ANY (:ids::text[])
