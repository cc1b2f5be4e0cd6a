SELECT json_group_array(json_array(task, grp)) FROM stem_links WHERE task IN (SELECT value FROM json_each(:ids))
