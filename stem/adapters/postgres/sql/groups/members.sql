SELECT t.member_index, t.id FROM {schema}.tasks AS t
WHERE
    t.group_id = :group_id AND t.member_index > :after::bigint
    AND EXISTS (SELECT FROM {schema}.groups AS g WHERE g.id = :group_id)
ORDER BY t.member_index
LIMIT :most::bigint
