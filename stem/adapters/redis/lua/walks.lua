-- What concerns all members of a group is done a portion at a time, by later calls: WORK has
--   'r', group   it is sealed: its members are let go
--   'w', group   it has its answer, or its time is over: what lives is cancelled, records are needed no more

local MOST_VISITED = 500

local function release(id, row)
  if row.held_member == 1 then
    row.held_member = 0
    changed[id] = true
    set_free(id, row)
    return 1
  end
  return 0
end

local function stop(id, row, group) -- a member whose group has its answer
  if TERMINAL[row.state] or row.joined == 1 then
    return 0
  elseif row.lease_until == 0 then
    group_closed(id, row, group.id)
    follow_up()
    return 1
  elseif row.terminate == 1 then
    return 0
  end
  row.cancel, row.terminate = 1, 1
  changed[id] = true
  return 1
end

local function forget(id, row) -- the record, whatever state it is in
  move(row, '')
  add(NAMES, row.name, -1)
  for _, key in ipairs({ ROWS, BODIES, RESULTS, EXTRAS }) do
    put(key, id, false)
  end
  rank(ALL, id, false)
  rank(DEAD, id, false)
  if row.belongs > 0 then
    forget_member(id, row)
  end
  rows[id] = false
end

local function abandon(id, row) -- a member of a group that nobody sealed
  if not TERMINAL[row.state] then
    leave(id, row)
    row.held_after, row.held_member = 0, 0
    free_key(id, row)
    if row.follows == 1 then
      stop_waiting(id, row)
    end
    if row.awaited == 1 then
      tell_waiting('task', id, false, REMOVED)
    end
    follow_up()
    told_tasks[id] = true
    besides[#besides + 1] = id
  end
  forget(id, row)
  return 1
end

local function visit(id, row, group)
  if group.state == GONE then
    return abandon(id, row)
  elseif group.state == SEALED then
    return release(id, row)
  end
  local done = stop(id, row, group)
  unpin_task(id, row)
  return done
end

local function finish_walk(group, work)
  rank(WORK, work, false)
  if group.removing == 1 then
    groups[group.id] = false
  end
end

-- Visit members behind the cursor until `most` of them had to be changed; how many were.
local function walk(group, work, most)
  local prefix = named(group.id)
  local from = group.cursor == '' and '[' .. prefix or '(' .. group.cursor
  local members = call('ZRANGEBYLEX', MEMBERS, from, '(' .. prefix .. NO_PLACE .. '\255', 'LIMIT', 0, MOST_VISITED)
  local ids, done = {}, 0
  for i, member in ipairs(members) do
    ids[i] = member:sub(#prefix + 9)
  end
  fetch(ids)
  groups_changed[group.id] = true
  for i, id in ipairs(ids) do
    if done >= most then
      return done
    end
    if rows[id] then
      done = done + visit(id, rows[id], group)
    end
    if group.removing == 1 then
      rank(MEMBERS, members[i], false)
    end
    group.cursor = members[i]
  end
  if #members < MOST_VISITED then
    finish_walk(group, work)
  end
  return done
end

-- Go on with work of one kind, as a whole change of its own; how much is left of `most`.
local function go_on(kind, most)
  local found = call('ZRANGEBYLEX', WORK, '[' .. kind, '(' .. kind .. '\255', 'LIMIT', 0, 10)
  for _, work in ipairs(found) do
    if most > 0 then
      find_group(work:sub(2))
      most = most - walk(groups[work:sub(2)], work, most)
    end
  end
  flush()
  return most
end

local function has_work(kind)
  return call('ZRANGEBYLEX', WORK, '[' .. kind, '(' .. kind .. '\255', 'LIMIT', 0, 1)[1] ~= nil
end
