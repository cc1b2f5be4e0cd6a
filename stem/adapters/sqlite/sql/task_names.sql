SELECT json_group_array(json_array(name, tally)) FROM (SELECT name, count(*) AS tally FROM stem_tasks GROUP BY name)
