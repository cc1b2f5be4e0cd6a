-- The ordinary life of a task, as in leases.lua: here it ends.

local ends = {} -- what ends of this batch have in common, by their state, then by the bytes that it follows from

local function end_of(raw, state, number) -- what is written of an end, and how
  local ttl, _, _, started_at, _, _, _, _, _, _, began, alone = struct.unpack(TTL_AND_LIVE, raw, TTL_AT)
  local kept = kept_until(state, ttl)
  local live = struct.pack(LIVE, 0, 0, started_at, now, cut(now + ttl), kept, NEVER, number, 0, began, 0)
  return {
    live = live .. OVER_AT_ONCE .. named(state) .. named(''),
    together = part_of(endings, kept),
    number = number,
    alone = alone == 1,
    ttl = ttl,
  }
end

local function same_end(raw, state, number)
  local known, key = part_of(ends, state), raw:sub(TTL_AT, COUNTERS_AT - 1)
  local found = known[key]
  if not found or found.number ~= number then
    found = end_of(raw, state, number)
    known[key] = found
  end
  return found
end

-- End one whose row says of its lease what `mark` says, and nothing special: with the result, where there is one.
local function end_life(id, raw, run, mark, result)
  local nonce, state, _, number = unpack(run, 2, 5)
  local common, upto = same_end(raw, state, number), COUNTERS_AT + #mark
  local _, queue = struct.unpack('>I4c0I4c0', raw, upto)
  put_row(id, raw:sub(1, LIVE_AT - 1) .. common.live .. named(nonce) .. raw:sub(upto))
  tally(RUNNING, queue, -1)
  tally(state, queue, 1)
  end_lease(nonce, common.alone)
  common.together[#common.together + 1] = id
  told_tasks[id] = true
  if result then
    keep_result(id, result, common.ttl)
  end
end

-- End a run of leases: those of tasks of which nothing special is known here, the others otherwise. Their letters.
local function end_run(run, otherwise)
  local nonce, _, counter, _, count, first, step = unpack(run, 2, 8)
  local mark = HELD_ONCE .. named(RUNNING) .. named(nonce) .. named('')
  local last, letters = COUNTERS_AT + #mark - 1, {}
  for i = 1, count do
    local at = first + (i - 1) * step
    local id = ARGV[BLOBS + at]
    local raw = counter == 1 and not rows[id] and raws[id]
    if raw and raw:sub(COUNTERS_AT, last) == mark then
      end_life(id, raw, run, mark, step == 2 and ARGV[BLOBS + at + 1])
      letters[i] = 'A'
    else
      letters[i] = otherwise(change_of(run, at))
    end
  end
  return table.concat(letters)
end
