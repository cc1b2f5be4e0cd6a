SELECT place, task FROM stem_links
WHERE grp = :id AND place IS NOT NULL AND place > :after AND EXISTS (SELECT 1 FROM stem_groups WHERE id = :id)
ORDER BY place
LIMIT :limit
