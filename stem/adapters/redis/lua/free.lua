-- The writes of a commit that need no lease.

local BLOBS = 4 -- the arguments before the bytes of a commit

local function next_seq()
  if not seq then
    first_seq = tonumber(call('HGET', NUMBERS, 'seq') or 0)
    seq = first_seq
  end
  seq = seq + 1
  return seq
end

local function new_task(write)
  local _, id, queue, name, priority, _, _, expires, ttl, ignored, retries, head, key, lifetime, at, size = unpack(write)
  local row = new_row()
  row.id, row.queue, row.name, row.priority, row.head = id, queue, name, priority, head
  row.seq, row.published, row.accepted = next_seq(), now, now
  row.expires = expires and cut(now + expires) or 0
  row.result_ttl, row.ignored, row.max_retries, row.size = ttl, ignored, retries, size
  row.is_unique, row.key, row.lifetime = key and 1 or 0, key or '', lifetime or -1
  row.reported = NEVER
  rows[id] = row
  changed[id] = true
  put(BODIES, id, ARGV[BLOBS + at])
  rank(ALL, id, row.seq)
  add(NAMES, name, 1)
  move(row, QUEUED)
  return row
end

local function publish(write, alone)
  local id, delay, not_before, key, after, member = write[2], write[6], write[7], write[13], write[17], write[18]
  if find(id) then
    return 'A'
  end
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
    hold_back(id, row, delay, not_before)
    return 'A'
  end
  row.due = not_before and math.max(now, not_before) or cut(now + delay)
  wait(id, row)
  told_queues[row.queue] = true
  return 'A'
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
