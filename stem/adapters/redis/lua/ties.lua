-- What ties tasks to others: that they are held, and what follows from an end in the same change: a group counts it,
-- what continues it is let go or cancelled, and so on until nothing more follows.

local function upstream_failed(id, row, kind, upstream, state)
  local message = string.format(kind == 'task' and TASK_IS or GROUP_IS, upstream, state)
  call_off(id, row, UPSTREAM_FAILED, message)
end

local function group_closed(id, row, group)
  call_off(id, row, GROUP_CLOSED, string.format(GROUP_HAS_ANSWER, group))
end

local function put_off_expiry(row) -- until it is let go, its time to expire is a length, counted from nothing
  if row.expires > 0 and row.accepted > 0 then
    row.expires, row.accepted = row.expires - row.accepted, 0
  end
end

-- How what is waited for ended: nil while it lives, or whether with success, and in which state.
local function ending_of(kind, id)
  if kind == 'task' then
    local row = find(id)
    if TERMINAL[row.state] then
      return row.state == SUCCEEDED, row.state
    end
  else
    local group = find_group(id)
    if is_closed(group) then
      return group.state == MET, group.state
    end
  end
end

local function set_free(id, row) -- what is held no more is due as if it had been published now
  if is_held(row) then
    return
  end
  local found = more(id, row)
  local not_before = tonumber(found.not_before)
  row.due = not_before and math.max(now, not_before) or cut(now + tonumber(found.delay or 0))
  note(id, row, 'not_before', nil)
  note(id, row, 'delay', nil)
  if row.expires > 0 then
    row.expires = cut(row.expires - row.accepted + now)
  end
  row.accepted = now
  changed[id] = true
  wait(id, row)
  told_queues[row.queue] = true
end

local function tell_waiting(kind, upstream, is_met, state)
  for _, id in ipairs(in_order(awaited_as(kind, upstream))) do
    local row = find(id)
    if row.held_after == 1 and is_met then
      row.held_after = 0
      changed[id] = true
      set_free(id, row)
    elseif row.held_after == 1 then
      upstream_failed(id, row, kind, upstream, state)
    end
  end
end

local function close(group, state)
  group.state, group.closed = state, now
  groups_changed[group.id] = true
  rank(WORK, 'r' .. group.id, false)
  rank(OVER, 'g' .. group.id, group_kept_until(group))
  if group.left > 0 or group.pinned == 1 then
    begin_walk(group)
  end
  following[#following + 1] = { group.id }
end

local function decide(group)
  local answer = answer_of(group)
  if answer then
    close(group, answer)
  end
end

local function count(row, group)
  if is_closed(group) then
    if group.left == 0 then
      unpin_group(group)
    end
    return
  end
  if row.belongs == WITH_PLACE then
    group.joined = group.joined + 1
    group.succeeded = group.succeeded + (row.state == SUCCEEDED and 1 or 0)
    if group.state == SEALED then
      decide(group)
    end
  end
end

local function join(id, row) -- once, whatever generation
  if row.joined == 1 then
    return
  end
  row.joined = 1
  changed[id] = true
  local group = find_group(head_of(id, row).member[1])
  if group then
    group.left = group.left - 1
    groups_changed[group.id] = true
    count(row, group)
  end
end

local function stop_waiting(id, row) -- what it continued may be needed by nobody any more
  unlink(id, row)
  local kind, upstream = unpack(head_of(id, row).after)
  if is_awaited(kind, upstream) then
    return
  end
  if kind == 'task' then
    unpin_task(upstream, find(upstream))
  else
    local group = find_group(upstream)
    if group then
      unpin_group(group)
    end
  end
end

local function tell_of_end(id, row)
  if row.follows == 1 then
    stop_waiting(id, row)
  end
  if row.belongs > 0 then
    join(id, row)
  end
  if row.awaited == 1 then
    tell_waiting('task', id, row.state == SUCCEEDED, row.state)
  end
end

local function follow_up() -- until nothing more follows
  local at = 1
  while at <= #following do
    local id, row = unpack(following[at])
    if row then
      tell_of_end(id, row)
    else
      local group = groups[id]
      tell_waiting('group', id, group.state == MET, group.state)
    end
    at = at + 1
  end
  following = {}
end

local function hold_back(id, row, delay, not_before) -- until what it waits for lets it go
  row.due = 0
  put_off_expiry(row)
  note(id, row, 'delay', delay > 0 and text_of(delay))
  note(id, row, 'not_before', not_before and text_of(not_before))
end

-- Let a message wait for what it continues, and for the seal of its group, as far as these are not there already.
-- Whether it may; one whose upstream has ended otherwise is cancelled.
local function tie(id, row)
  local head = head_of(id, row)
  if row.follows == 1 then
    local kind, upstream = unpack(head.after)
    local is_met, state = ending_of(kind, upstream)
    if is_met == false then
      put_off_expiry(row)
      upstream_failed(id, row, kind, upstream, state)
      return false
    end
    link(id, row)
    row.held_after = is_met and 0 or 1
  end
  if row.belongs > 0 then
    local group = find_group(head.member[1])
    row.held_member = group and group.state == OPEN and 1 or 0
  end
  return true
end

local function await(kind, id) -- from now on the result of this one is read
  if kind == 'task' then
    local row = find(id)
    row.awaited = 1
    changed[id] = true
  else
    local group = find_group(id)
    group.awaited = 1
    groups_changed[id] = true
  end
end

local function add_ties(id, row, after, member)
  if after then
    row.follows = 1
    await(after[1], after[2])
  end
  if member then
    row.belongs = member[2] and WITH_PLACE or 1
    add_member(id, row, member[1], member[2] or nil)
  end
end
