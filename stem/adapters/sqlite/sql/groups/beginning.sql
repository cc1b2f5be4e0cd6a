SELECT json_group_array(task) FROM stem_links WHERE grp = :id AND NOT waits_after AND NOT ended
