ALTER TABLE {schema}.workers ADD COLUMN memory bigint, ADD COLUMN replaces text;
