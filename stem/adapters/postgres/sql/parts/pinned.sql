(t.awaited AND (
            EXISTS (
                SELECT FROM {schema}.tasks AS d
                WHERE d.after_id = t.id AND d.after_kind = 'task' AND d.state = ANY (:live::text[])
            )
            OR (t.member_index IS NOT NULL AND EXISTS (
                SELECT FROM {schema}.groups AS g
                WHERE g.id = t.group_id AND (g.closed_at IS NULL OR EXISTS (
                    SELECT FROM {schema}.tasks AS d
                    WHERE d.after_id = g.id AND d.after_kind = 'group' AND d.state = ANY (:live::text[])
                ))
            ))
        ))
