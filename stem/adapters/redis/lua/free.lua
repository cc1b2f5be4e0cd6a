-- The writes of a commit that need no lease.

local seq -- the number of the last publication

local function number_publications(count) -- and the news of them; what turns out to be known leaves a gap
  if count > 0 then
    news_number = call('HINCRBY', NUMBERS, 'seq', count + 1)
    seq = news_number - count - 1
  end
end

-- A publish is: letter, id, queue, name, priority, blob, delay, not before, expires, key, after, member. The blob is the
-- row, as its producer packed it; the next one is the envelope.

local function stamped(write, due) -- the row, with what only the server knows
  local expires = write[9] and cut(now + write[9]) or 0
  seq = seq + 1
  return stamp_row(ARGV[BLOBS + write[6]], seq, now, now, expires, due)
end

local function due_of(write)
  return write[8] and math.max(now, write[8]) or cut(now + write[7])
end

local function admit(write) -- what is kept of a new task beside its row
  local id = write[2]
  append(added, BODIES, id, ARGV[BLOBS + write[6] + 1])
  append(ranked, ALL, seq, id)
  add(NAMES, write[4], 1)
  tally(QUEUED, write[3], 1)
end

local function new_task(write)
  local row = decode_row(stamped(write, 0))
  raws[row.id], rows[row.id], changed[row.id] = '', row, true
  admit(write)
  return row
end

local function publish_new(write, alone)
  local id, key, after, member = write[2], write[10], write[11], write[12]
  local holder = key and holder_of(key, id)
  if holder and alone then
    return 'D', holder
  end
  local row = new_task(write)
  if after or member then
    add_ties(id, row, after, member)
  end
  if holder then
    if after or member then
      put_off_expiry(row)
    end
    call_off(id, row, 'DuplicateTask', 'duplicate of ' .. holder)
    return 'A'
  end
  take_key(id, row)
  if (after or member) and not tie(id, row) then
    return 'A'
  end
  if is_held(row) then
    hold_back(id, row, write[7], write[8])
    return 'A'
  end
  row.due = due_of(write)
  wait(id, row)
  told_queues[row.queue] = true
  return 'A'
end

local function publish(write, alone)
  if is_stored(write[2]) then
    return 'A'
  end
  return publish_new(write, alone)
end

local function cancel(write)
  local id, row = write[2], find(write[2])
  if TERMINAL[row.state] then
    return
  end
  changed[id] = true
  if row.lease_until > 0 then
    row.cancel = 1
    row.terminate = math.max(row.terminate, write[3])
    return
  end
  leave(id, row)
  note(id, row, 'error', nil)
  finish(id, row, CANCELLED)
end
