INSERT INTO stem_links (
    task, after_kind, after_id, grp, place, waits_after, waits_seal, delay, not_before, expires
)
VALUES (
    :task, :after_kind, :after_id, :grp, :place, :waits_after, :waits_seal, :delay, :not_before, :expires
)
