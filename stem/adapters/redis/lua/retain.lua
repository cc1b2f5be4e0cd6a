-- Delete what was kept long enough. ARGV: time, channel, origin, how many of each kind.
-- Answers how many tasks, the queues to tell of, and the tasks that ended.

local limit = tonumber(ARGV[4])
local deleted = 0

local function delete(id, row)
  forget(id, row)
  deleted = deleted + 1
end

-- One member of ENDED: tasks that ended together. A task that was replayed since is in another one, or lives.
local function delete_together(member, time)
  local ids, left = cjson.decode(member), {}
  fetch(ids)
  for _, id in ipairs(ids) do
    local row = rows[id]
    if row and TERMINAL[row.state] and row.keep_until <= now then
      if deleted >= limit then
        left[#left + 1] = id
      elseif is_needed(id, row) then
        row.pinned = 1
        changed[id] = true
      else
        delete(id, row)
      end
    end
  end
  rank(ENDED, member, false)
  if #left > 0 then
    rank(ENDED, cjson.encode(left), time)
  end
end

local function delete_ended()
  local ended = call('ZRANGEBYSCORE', ENDED, '-inf', now, 'WITHSCORES', 'LIMIT', 0, limit)
  for i = 1, #ended, 2 do
    if deleted >= limit then
      break
    end
    delete_together(ended[i], tonumber(ended[i + 1]))
  end
end

-- What else has had its time, by the letter of its kind.
local FORGET = {}

function FORGET.u(key)
  local found = call('HGET', UNIQUES, key)
  local till = found and struct.unpack('>I8', found) or 0
  if till > 0 and till <= now then
    put(UNIQUES, key, false)
  end
end

function FORGET.r(id)
  local found = call('HGET', REVOCATIONS, id)
  put(REVOCATIONS, id, false)
  rank(ORDER, 'r' .. sortable((struct.unpack('>i8', found))) .. id, false)
end

function FORGET.b(id)
  local found = call('HGET', BROADCASTS, id)
  local channel = found:sub(17, 20 + struct.unpack('>I4', found, 17))
  put(BROADCASTS, id, false)
  rank(ORDER, 'b' .. channel .. found:sub(1, 8) .. id, false)
end

function FORGET.l(key)
  put(LOCKS, key, false)
end

function FORGET.o(at) -- it is old; who keeps the messages knows whether it is needed
  rank(ORDER, 'o' .. at, 0)
end

function FORGET.a(allowed)
  know_ties()
  local till = tonumber(call('HGET', NUMBERS, used_at(allowed)))
  if till and till <= now then
    put(NUMBERS, used_at(allowed), false)
  end
end

function FORGET.g(id)
  local group = find_group(id)
  if not group then
    return
  elseif group.state == OPEN then
    tell_waiting('group', id, false, REMOVED)
    group.state = GONE
    follow_up()
  elseif group.left > 0 or (group.awaited == 1 and is_awaited('group', id)) then
    group.pinned = 1 -- until all its members, and what continues it, have ended
    groups_changed[id] = true
    return
  end
  group.removing = 1
  begin_walk(group)
end

local function forget_others()
  for _, member in ipairs(call('ZRANGEBYSCORE', OVER, '-inf', now, 'LIMIT', 0, limit)) do
    rank(OVER, member, false)
    FORGET[member:sub(1, 1)](member:sub(2))
  end
end

local function forget_empty() -- counts of nothing: see write_sum
  local counted = call('HGETALL', COUNTS)
  for i = 1, #counted, 2 do
    if counted[i + 1] == '0' then
      put(COUNTS, counted[i], false)
    end
  end
end

local function forget_standing() -- requests of workers that do not come back
  local all = call('HGETALL', STANDING)
  for i = 1, #all, 2 do
    if now - struct.unpack('>i8', all[i + 1]) > STANDS_FOR then
      put(STANDING, all[i], false)
    end
  end
end

forget_others()
forget_standing()
flush()
go_on('r', MOST_VISITED)
go_on('w', limit)
delete_ended()
flush()
forget_empty()
flush()
if has_come_out then
  tidy()
end
return { deleted, tell(ARGV[2], ARGV[3]), besides }
