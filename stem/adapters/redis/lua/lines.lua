-- Where messages stand, and that nobody holds them.

local function before_ready(queue, priority, due) -- what stands in READY before the number and the id
  return struct.pack('>I4c0BI8', #queue, queue, 255 - priority, due)
end

local function before_later(queue, time, refused, priority) -- and in LATER
  return struct.pack('>I4c0I8BB', #queue, queue, time, refused, 255 - priority)
end

local function ready_at(id, row)
  return before_ready(row.queue, row.priority, row.due) .. struct.pack('>I8', row.seq) .. id
end

local function later_at(id, row, time)
  return before_later(row.queue, time, row.refused, row.priority) .. struct.pack('>I8', row.seq) .. id
end

local function parked_at(id, row, crowd)
  return named(row.queue) .. named(crowd) .. struct.pack('>BI8I8', 255 - row.priority, row.due, row.seq) .. id
end

-- Which of those that refused a message are still to be passed over, as one text, and when the first is not any more.
local function crowd_of(found)
  local names, first = {}, LATEST
  for _, refusal in ipairs(found.refused or {}) do
    local till = tonumber(refusal[2])
    if till > now then
      names[#names + 1] = refusal[1]
      first = math.min(first, till)
    end
  end
  if #names == 0 then
    return nil
  end
  table.sort(names)
  return cjson.encode(names), first
end

local function wait(id, row) -- stand in line, at `row.due`
  if row.due > now then
    rank(LATER, later_at(id, row, row.due), 0)
    return
  end
  local crowd, first
  if row.refused == 1 then
    crowd, first = crowd_of(more(id, row))
  end
  if not crowd then
    rank(READY, ready_at(id, row), 0)
    return
  end
  note(id, row, 'crowd', crowd)
  note(id, row, 'until', text_of(first))
  rank(REFUSED, parked_at(id, row, crowd), 0)
  rank(LATER, later_at(id, row, first), 0)
end

local function is_held(row) -- by what it continues, or by its group: it stands nowhere
  return row.held_after == 1 or row.held_member == 1
end

local has_come_out = false -- whether somebody has, who stood aside

local function leave(id, row) -- step out of line, wherever it stands
  if is_held(row) then
    return
  end
  local found = (row.refused == 1 or row.has_extras == 1) and more(id, row)
  if found and found.aside then
    know_ties()
    come_out(id, row)
    has_come_out = true
    return
  elseif found and found.crowd then
    rank(REFUSED, parked_at(id, row, found.crowd), false)
    rank(LATER, later_at(id, row, tonumber(found['until'])), false)
    note(id, row, 'crowd', nil)
    note(id, row, 'until', nil)
    return
  end
  rank(READY, ready_at(id, row), false)
  rank(LATER, later_at(id, row, row.due), false)
end

local function end_lease(nonce, is_alone) -- one of the call with this nonce, which leased nothing else, or several
  if is_alone then
    put(ANSWERS, nonce, false)
    rank(LEASED, nonce, false)
    rank(RENEWED, nonce, false)
  else
    add(HELD, nonce, -1)
  end
end

local function let_go(id, row) -- end a lease
  end_lease(row.nonce, row.alone == 1)
  row.lease, row.lease_until, row.nonce, row.alone = 0, 0, '', 0
  changed[id] = true
end
