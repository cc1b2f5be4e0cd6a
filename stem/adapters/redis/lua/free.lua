-- The writes of a commit that need no lease: publish, cancel, replay; and the end of a task, which every kind may bring.

local BLOBS = 4 -- the arguments before the bytes of a commit

local function next_seq()
  if not seq then
    first_seq = tonumber(call('HGET', NUMBERS, 'seq') or 0)
    seq = first_seq
  end
  seq = seq + 1
  return seq
end

-- Unique keys: the time until which the key is held (0: until its holder ends), then the holder's id.

local function holder_of(key, besides)
  local staged = hashes[UNIQUES] and hashes[UNIQUES][key]
  local found = staged
  if staged == nil then
    found = call('HGET', UNIQUES, key)
  end
  if not found then
    return nil
  end
  local till = struct.unpack('>I8', found)
  local id = found:sub(9)
  if id == besides or (till > 0 and till <= now) then
    return nil
  end
  return id
end

local function take_key(id, row)
  if row.is_unique == 0 then
    return
  end
  local till = 0
  if row.lifetime >= 0 then
    till = cut(now + row.lifetime)
    rank(UNIQUE_ENDS, row.key, till)
  end
  put(UNIQUES, row.key, struct.pack('>I8', till) .. id)
end

local function free_key(id, row)
  if row.is_unique == 1 and row.lifetime < 0 and not holder_of(row.key, id) then
    put(UNIQUES, row.key, false)
  end
end

local endings = {}

local function finish(id, row, state, kept)
  move(row, state)
  row.due = 0
  row.finished = now
  row.result_until = row.ignored == 1 and 0 or cut(now + row.result_ttl)
  row.keep_until = cut(now + math.max(kept, 2 * row.result_ttl))
  changed[id] = true
  local together = part_of(endings, row.keep_until)
  together[#together + 1] = id
  free_key(id, row)
  told_tasks[id] = true
end

-- Writes without a lease ---------------------------------------------------------------------------------------

local function publish(write, alone)
  local _, id, queue, name, priority, delay, not_before, expires, ttl, ignored, retries, head, key, lifetime, at, size =
    unpack(write)
  if find(id) then
    return 'A'
  end
  local holder = key and holder_of(key, id)
  if holder and alone then
    return 'D', holder
  end
  local row = new_row()
  row.id, row.queue, row.name, row.priority, row.head = id, queue, name, priority, head
  row.seq, row.published, row.accepted = next_seq(), now, now
  row.due = not_before and math.max(now, not_before) or cut(now + delay)
  row.expires = expires and cut(now + expires) or 0
  row.result_ttl, row.ignored, row.max_retries, row.size = ttl, ignored, retries, size
  row.is_unique, row.key, row.lifetime = key and 1 or 0, key or '', lifetime or -1
  row.reported = NEVER_REPORTED
  rows[id] = row
  changed[id] = true
  put(BODIES, id, ARGV[BLOBS + at])
  rank(ALL, id, row.seq)
  add(NAMES, name, 1)
  move(row, QUEUED)
  if holder then
    note(id, row, 'error', cjson.encode({ 'DuplicateTask', 'duplicate of ' .. holder, '', '' }))
    finish(id, row, CANCELLED, KEPT)
    return 'A'
  end
  take_key(id, row)
  wait(id, row)
  told_queues[queue] = true
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
  finish(id, row, CANCELLED, KEPT)
end

local function is_replayed(row, generation) -- whether the generation that the sender saw end has a successor
  return generation and generation < row.generation
end

local function replay(write)
  local id, row = write[2], find(write[2])
  if is_replayed(row, write[3]) then
    return
  end
  extras[id], extras_changed[id] = {}, true
  put(RESULTS, id, false)
  rank(DEAD, id, false)
  move(row, QUEUED)
  row.generation = row.generation + 1
  row.attempt, row.deliveries, row.crashes, row.lost, row.parks, row.refused = 0, 0, 0, 0, 0, 0
  row.started_at, row.finished, row.result_until, row.keep_until = 0, 0, 0, 0
  row.cancel, row.terminate, row.worker = 0, 0, ''
  if row.expires > 0 then
    row.expires = cut(row.expires - row.accepted + now)
  end
  row.accepted, row.due = now, now
  changed[id] = true
  take_key(id, row)
  wait(id, row)
  told_queues[row.queue] = true
end
