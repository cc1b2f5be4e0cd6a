-- The writes that concern what has ended: replay, discard.

local function is_later(row, generation) -- whether the generation that the sender saw has a successor
  return generation and generation < row.generation
end

local function begin_again(id, row) -- as its next generation
  extras[id], extras_changed[id] = {}, true
  put(RESULTS, id, false)
  rank(DEAD, id, false)
  move(row, QUEUED)
  row.generation = row.generation + 1
  row.attempt, row.deliveries, row.crashes, row.lost, row.parks, row.refused = 0, 0, 0, 0, 0, 0
  row.started_at, row.finished, row.result_until, row.keep_until, row.pinned = 0, 0, 0, 0, 0
  row.cancel, row.terminate, row.worker = 0, 0, ''
  if row.expires > 0 then
    row.expires = cut(row.expires - row.accepted + now)
  end
  row.accepted = now
  changed[id] = true
end

local function replay(write) -- letter, id, generation, delay
  local id, row = write[2], find(write[2])
  if is_later(row, write[3]) then
    return
  end
  begin_again(id, row)
  take_key(id, row)
  if row.follows == 1 or row.belongs > 0 then
    tie(id, row)
  end
  if is_held(row) then
    hold_back(id, row, write[4])
    return
  end
  row.due = cut(now + write[4])
  wait(id, row)
  told_queues[row.queue] = true
end

local function is_dead(id)
  local staged = sets[DEAD] and sets[DEAD][id]
  if staged ~= nil then
    return staged ~= false
  end
  return call('ZSCORE', DEAD, id) and true
end

local function discard(write)
  local id, row = write[2], find(write[2])
  if is_later(row, write[3]) or not is_dead(id) then
    return
  end
  rank(DEAD, id, false)
  note(id, row, 'buried', nil)
  keep(id, row, row.state)
end
