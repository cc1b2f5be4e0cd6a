SELECT u.key, u.holder FROM {schema}.uniques AS u WHERE u.key = ANY (:keys::text[])
