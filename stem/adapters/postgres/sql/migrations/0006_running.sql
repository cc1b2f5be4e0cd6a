ALTER TABLE {schema}.workers ADD COLUMN tasks text;
