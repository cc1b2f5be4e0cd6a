SELECT task FROM stem_links WHERE grp = :id AND place = :place AND place IS NOT NULL
