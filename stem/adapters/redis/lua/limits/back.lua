-- What stands aside comes back to the line of its queue when its allowance has room: from up to MOST_GATES gates at a
-- time, in the order of the queue.

local MOST_GATES = 40

local function id_at(place)
  return place[1]:sub(place[2] + 17)
end

local function fetch_first(places, most)
  local ids = {}
  for i = 1, math.min(#places, most) do
    ids[i] = id_at(places[i])
  end
  fetch(ids)
end

local function first_aside(queue, gate, most)
  local line, places = side_line(queue, gate), {}
  for i, member in ipairs(call('ZRANGEBYLEX', REFUSED, '[' .. line, '(' .. line .. '\255\255', 'LIMIT', 0, most)) do
    places[i] = place_of(member, #line + 1)
  end
  return places
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

local function with_heads(queue, gates) -- each with the first of its line; empty lines are left out
  local found, heads = {}, {}
  for _, gate in ipairs(gates) do
    local head = first_aside(queue, gate, 1)[1]
    if head then
      heads[#heads + 1] = head
      found[#found + 1] = { gate, head, id_at(head) }
    end
  end
  fetch_first(heads, #heads)
  return found
end

-- How many of a gate may be let back, and what they want. A gate whose limits do not hold any more, or whose messages have
-- others by now, is let back whole; one that another allowance stops waits for that one.
local function room_of(queue, gate, id, allowed)
  local row = rows[id]
  local want = row and wants_of(id, row)
  if not (want and want.gate == gate) then
    return MOST_MOVED, nil
  end
  look_over(queue, gate, want, allowed)
  local blocking = obstacle(want, used)
  if not blocking then
    return math.min(room_in(want, want.by_rate, used), room_in(want, want.by_holders, used)), want
  elseif blocking == allowed then
    return 0, want
  end
  wait_for(queue, gate, want, blocking)
  return 0, nil
end

-- The first of all its gates in their order, and what they want; and those that belong before other gates by now.
local function offered(queue, allowed)
  local list, strays, wanted = {}, {}, nil
  local gates = waiting_gates(queue, allowed)
  for _, found in ipairs(with_heads(queue, gates)) do
    local room, want = room_of(queue, found[1], found[3], allowed)
    local to = want and list or strays
    local places = room > 1 and #to < MOST_MOVED and first_aside(queue, found[1], math.min(room, MOST_MOVED))
    for i = 1, math.min(room, places and #places or 1) do
      to[#to + 1] = places and places[i] or found[2]
    end
    wanted = want and is_bound(want, allowed) and want or wanted
  end
  table.sort(list, before)
  return list, wanted, strays, #gates == MOST_GATES
end

local function is_passed_over(id, row) -- by who asks: it takes nothing from those behind it
  local crowd = row.refused == 1 and more(id, row).crowd
  return crowd and refuses(crowd)
end

local function let_back(id, counted) -- to its place in the line of its queue; what stops it, where something does
  local row = find(id)
  local want = wants_of(id, row)
  local is_bound_here = want and want.gate == more(id, row).aside
  local blocking = is_bound_here and obstacle(want, counted)
  if blocking then
    wait_for(row.queue, want.gate, want, blocking)
    return blocking
  end
  come_out(id, row)
  wait(id, row)
  if is_bound_here and not is_passed_over(id, row) then
    count_in(want, counted)
  end
end

local function let_back_first(list, allowed, most, counted) -- how many
  local done = 0
  for _, place in ipairs(list) do
    if done == most then
      return done
    end
    local blocking = let_back(id_at(place), counted)
    if blocking == allowed then
      return done
    elseif not blocking then
      done = done + 1
    end
  end
  return done
end

local function reopen(queue, allowed, most) -- how many were let back
  local list, want, strays, has_more = offered(queue, allowed)
  local counted = {}
  fetch_first(strays, most)
  local done = let_back_first(strays, allowed, most, counted)
  if #strays > 0 and (has_more or #strays >= MOST_MOVED or done < #strays) then
    want = nil -- there may be others: to be looked at again at once
  end
  fetch_first(list, math.min(most - done, want and room_in(want, allowed, used) or most))
  done = done + let_back_first(list, allowed, most - done, counted)
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
