-- The writes of a commit under a lease that stands.

local EVIDENCE = { 'backoff', 'ack', 'lost_by', 'lost_backoff', 'lost_ack' }

local function consume(id, row, number)
  row.used_fence, row.used_nonce, row.used_number = row.fence, row.nonce, number
  row.started, row.lost_started = 0, 0
  let_go(id, row)
  if row.has_extras == 0 and not extras[id] then
    return
  end
  for _, name in ipairs(EVIDENCE) do
    note(id, row, name, nil)
  end
  local held = more(id, row).holds
  if held then
    know_ties()
    stop_holding(id, row, held)
  end
end

local function keep_result(id, result, result_ttl)
  append(added, RESULTS, id, result)
  told_results[id] = result_ttl > 0 and result or nil
end

local function finish_leased(id, row, write) -- letter, state, error, reason, blob
  local _, state, failure, reason, at = unpack(write)
  note(id, row, 'error', failure or nil)
  note(id, row, 'buried', reason or nil)
  if at and is_read(row) then
    keep_result(id, ARGV[BLOBS + at], row.result_ttl)
  end
  if reason then
    rank(DEAD, id, row.seq)
  end
  finish(id, row, state, reason and 'dead')
end

local function refuse(id, row, write) -- letter, state, delay, error, reason, fingerprint, pause
  local found = more(id, row)
  local kept = {}
  for _, refusal in ipairs(found.refused or {}) do
    if refusal[1] ~= write[6] then
      kept[#kept + 1] = refusal
    end
  end
  kept[#kept + 1] = { write[6], text_of(cut(now + write[7])) }
  while #kept > 16 do
    table.remove(kept, 1)
  end
  note(id, row, 'refused', kept)
  note(id, row, 'reason', write[5])
  row.parks, row.refused = row.parks + 1, 1
  row.started_at = 0 -- it has not begun, whatever its lease call marked
end

local function give_back(id, row, write) -- letter, state, delay (false: back to its place), error, reason, fingerprint, pause
  local _, state, delay, failure, reason = unpack(write)
  move(row, state)
  if failure then
    row.attempt = row.attempt + 1
    note(id, row, 'error', failure)
  end
  if reason then
    refuse(id, row, write)
  end
  row.due = delay and cut(now + delay) or row.published
  wait(id, row)
  told_queues[row.queue] = true
end

local function start(id, row, write)
  row.started, row.started_at = 1, now
  changed[id] = true
  note(id, row, 'backoff', write[2])
  note(id, row, 'ack', write[3])
end

local function report(id, row, write)
  if write[2] > row.reported then
    row.reported = write[2]
    changed[id] = true
    note(id, row, 'progress', write[3])
  end
  told_tasks[id] = true
end
