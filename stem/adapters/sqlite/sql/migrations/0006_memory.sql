ALTER TABLE stem_workers ADD COLUMN memory INTEGER;
ALTER TABLE stem_workers ADD COLUMN replaces TEXT;
