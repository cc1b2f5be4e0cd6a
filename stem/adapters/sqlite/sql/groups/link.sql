SELECT after_kind, after_id, grp, place FROM stem_links WHERE task = :task
