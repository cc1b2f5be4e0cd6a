-- Whether others still need what has ended.

-- What a live message waits for stays, and so does a member while its group, or what continues that, may read it.
local function is_needed(id, row)
  if row.awaited == 1 and is_awaited('task', id) then
    return true
  end
  local group = row.belongs == WITH_PLACE and find_group(head_of(id, row).member[1])
  if not group or (is_closed(group) and not (group.awaited == 1 and is_awaited('group', group.id))) then
    return false
  end
  group.pinned = 1
  groups_changed[group.id] = true
  return true
end
