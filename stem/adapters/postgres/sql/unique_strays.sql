DELETE FROM {schema}.uniques AS u USING {schema}.tasks AS t
WHERE u.key = ANY (:keys::text[]) AND t.id = ANY (ARRAY[u.holder]) AND t.unique_key IS DISTINCT FROM u.key
