ALTER TABLE stem_workers ADD COLUMN tasks TEXT;
