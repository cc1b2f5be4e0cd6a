-- What stands aside comes back to the line of its queue, when its allowance has room: from up to MOST_GATES gates at a
-- time, in the order of the queue.

local MOST_GATES = 50

local function first_aside(queue, gate, most)
  local line = side_line(queue, gate)
  local list, ids = {}, {}
  for i, member in ipairs(call('ZRANGEBYLEX', REFUSED, '[' .. line, '(' .. line .. '\255\255', 'LIMIT', 0, most)) do
    list[i] = place_of(member, #line + 1)
    ids[i] = member:sub(#line + 18)
  end
  fetch(ids)
  return list, ids
end

-- Those of a gate that may be let back, onto the list; what its first one wants. A gate of limits that do not hold any
-- more, or of a message that has others, is let back whole.
local function offer(list, queue, gate, allowed)
  local _, ids = first_aside(queue, gate, 1)
  local row = rows[ids[1] or '']
  local want = row and wants_of(ids[1], row)
  local most = MOST_MOVED
  if want and want.gate == gate then
    local blocking = obstacle(want, {})
    if blocking == allowed then
      return want
    elseif blocking then
      wait_for(queue, gate, want, blocking)
      return nil
    end
    most = math.min(most, room_in(want, want.by_rate), room_in(want, want.by_holders))
  end
  for _, place in ipairs((first_aside(queue, gate, most))) do
    list[#list + 1] = place
  end
  return want and want.gate == gate and want or nil
end

local function waiting_gates(queue, allowed) -- where there are many, others in each call
  local waiters = waiters_of(allowed, queue)
  local till, turn = '(' .. waiters .. '\255', 'turn:' .. waiters
  local found = call('ZRANGEBYLEX', ORDER, '[' .. waiters, till, 'LIMIT', 0, MOST_GATES)
  if #found == MOST_GATES then
    local behind = call('HGET', NUMBERS, turn)
    local others = behind and call('ZRANGEBYLEX', ORDER, '(' .. waiters .. behind, till, 'LIMIT', 0, MOST_GATES) or {}
    found = #others > 0 and others or found
    put(NUMBERS, turn, found[#found]:sub(#waiters + 1))
  end
  for i, member in ipairs(found) do
    found[i] = member:sub(#waiters + 1)
  end
  return found
end

local function let_back(place, counted) -- whether it may come back to its place in the line of its queue
  local id = place[1]:sub(place[2] + 17)
  local row = rows[id]
  local want = wants_of(id, row)
  if want and want.gate == more(id, row).aside then
    if obstacle(want, counted) then
      return false
    end
    count_in(want, counted)
  end
  come_out(id, row)
  wait(id, row)
  return true
end

local function let_back_first(list, most, counted) -- how many
  local done = 0
  table.sort(list, before)
  for _, place in ipairs(list) do
    if done == most then
      break
    end
    done = done + (let_back(place, counted) and 1 or 0)
  end
  return done
end

local function reopen(queue, allowed, most) -- how many were let back
  local list, counted, want = {}, {}, nil
  for _, gate in ipairs(waiting_gates(queue, allowed)) do
    if #list < MOST_MOVED then
      want = offer(list, queue, gate, allowed) or want
    end
  end
  local done = let_back_first(list, most, counted)
  if want and allowed == want.by_rate and want.limit[2] then
    local till = granted(want.limit, used_of(allowed), counted[allowed] or 0)
    promised[allowed] = math.max(till, promised[allowed] or 0)
  end
  touch(queue, allowed, want)
  left[waiters_of(allowed, queue)] = { queue, allowed }
  return done
end

local function reopen_due()
  local most = MOST_MOVED
  for _, place in ipairs(opened) do
    if most == 0 then
      break
    end
    most = most - reopen(place[1], place[2], most)
  end
end
