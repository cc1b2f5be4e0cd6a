SELECT place, task FROM stem_links
WHERE grp = :id AND place IS NOT NULL AND place > :after
ORDER BY place
LIMIT :limit
