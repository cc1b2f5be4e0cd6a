SELECT g.group_id, g.place
FROM unnest(:group_id::text[], :place::bigint[]) AS g (group_id, place) CROSS JOIN LATERAL (
    SELECT FROM {schema}.tasks AS t WHERE t.group_id = g.group_id AND t.member_index = g.place LIMIT 1
) AS t
