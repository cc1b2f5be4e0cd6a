-- Groups: their members, their count, and when they have their answer.

local NO_PLACE = ('\255'):rep(8)

local places = {} -- members published by this call, by group and place

local function find_group(id)
  local group = groups[id]
  if group == nil then
    local raw = call('HGET', GROUPS, id)
    group = raw and decode_group(raw)
    groups[id] = group
  end
  return group and group.state ~= GONE and group or nil
end

local function is_closed(group)
  return group.state == MET or group.state == UNMET
end

local function member_at(group, place) -- where a member stands in MEMBERS, without its id
  return named(group) .. (place and struct.pack('>I8', place) or NO_PLACE)
end

local function holder_of_place(group, place)
  local at = member_at(group, place)
  local found = places[at]
  if not found then
    local member = call('ZRANGEBYLEX', MEMBERS, '[' .. at, '(' .. at .. '\255', 'LIMIT', 0, 1)[1]
    found = member and member:sub(#at + 1)
  end
  return found
end

local function group_kept_until(group)
  return cut(group.closed + math.max(2 * group.result_ttl, KEEP_AT_LEAST))
end

local function open_group(id, size, policy, root, result_ttl)
  if groups[id] or find_group(id) then
    return
  end
  local group = new_group()
  group.id, group.size, group.policy, group.root, group.result_ttl = id, size, policy, root, result_ttl
  group.state, group.opened = OPEN, now
  groups[id] = group
  groups_changed[id] = true
  rank(OVER, 'g' .. id, cut(now + KEEP_OPEN_GROUP))
end

local function forget_member(id, row)
  local name, place = unpack(head_of(id, row).member)
  rank(MEMBERS, member_at(name, place) .. id, false)
end

local function add_member(id, row, name, place)
  local group = find_group(name)
  group.left = group.left + 1
  if place then
    group.filled = group.filled + 1
    places[member_at(name, place)] = id
  end
  groups_changed[name] = true
  rank(MEMBERS, member_at(name, place) .. id, 0)
end

-- The answer of a sealed group; nil while it has none.
local function answer_of(group)
  local failed = group.joined - group.succeeded
  if group.policy == 'all' and failed > 0 then
    return UNMET
  elseif group.policy == 'any' and group.succeeded > 0 then
    return MET
  elseif group.joined == group.size then
    return group.policy == 'any' and UNMET or MET
  end
end

local function begin_walk(group) -- over all its members, a portion at a time
  group.cursor = ''
  groups_changed[group.id] = true
  rank(WORK, 'w' .. group.id, 0)
end

local function unpin_group(group) -- as `unpin_task`; its members, too, are looked at again
  if group.pinned == 1 and is_closed(group) then
    group.pinned = 0
    begin_walk(group)
    rank(OVER, 'g' .. group.id, group_kept_until(group))
  end
end
