-- Which messages a lease call is given where limits are declared: as `choose`, of those that may start. Those that it
-- comes upon and that may not are moved aside, at most MOST_MOVED of them.

local to_move = MOST_MOVED

local function judged(id, counted) -- what it wants, and what stops it
  local row = find(id)
  local want = row and LEASABLE[row.state] and not has_answer(id, row) and wants_of(id, row)
  return want, want and obstacle(want, counted)
end

-- Read a line again when those that were read have all been moved or picked, as far as it is known; whether some are left.
local function read_on(line, picked)
  if line.is_over or not line.has_moved then
    return false
  end
  flush()
  line.list, line.at, line.has_moved = {}, 1, false
  for _, id in ipairs(line_of(line.name, true)) do
    if not picked[id] then
      line.list[#line.list + 1] = id
    end
  end
  fetch(line.list)
  return #line.list > 0
end

local function move_first(line, want, blocking) -- whether it could be moved
  if to_move == 0 then
    soonest(0)
    line.at, line.is_over = #line.list + 1, true
    return false
  end
  local id = line.list[line.at]
  step_aside(id, rows[id], want, blocking)
  to_move = to_move - 1
  line.at, line.has_moved = line.at + 1, true
  return true
end

local function pass_over(line, counted, picked) -- those at its head that may not start
  while line.at <= #line.list or read_on(line, picked) do
    local want, blocking = judged(line.list[line.at], counted)
    if not (blocking and move_first(line, want, blocking)) then
      return
    end
  end
end

local function pick(line, counted, picked)
  local id = line.list[line.at]
  local want = judged(id, counted)
  line.at = line.at + 1
  picked[id] = true
  if want then
    count_in(want, counted)
  end
  return id
end

local function choose_free() -- ids, and the credits of the queues after them
  local lines, chosen, owed = lines_of_queues(), {}, {}
  local counted, picked = {}, {}
  for _, line in ipairs(lines) do
    fetch(line.list)
  end
  while #chosen < request.limit do
    for _, line in ipairs(lines) do
      pass_over(line, counted, picked)
    end
    local count, line = working(lines)
    if count == 0 then
      break
    end
    chosen[#chosen + 1] = pick(count > 1 and next_line(lines) or line, counted, picked)
  end
  for i, line in ipairs(lines) do
    owed[i] = line.owed
  end
  return chosen, owed
end
