-- The ordinary life of a task, as in leases.lua: here it ends.

local ends = {} -- what the ends of this batch have in common, by state and what their rows have in common

local function end_of(raw, state, number) -- the numbers of what ends, and what follows from them
  local ttl, _, _, started_at, _, _, _, _, _, _, began, alone = struct.unpack(TTL_AND_LIVE, raw, TTL_AT)
  local kept = cut(now + math.max(KEEP_TIMES[state] * ttl, KEEP_LEAST[state]))
  local live = struct.pack(LIVE, 0, 0, started_at, now, cut(now + ttl), kept, NEVER, number, 0, began, 0)
  return {
    live = live .. OVER_AT_ONCE .. named(state) .. named(''),
    together = part_of(endings, kept),
    number = number,
    alone = alone == 1,
    is_told = ttl > 0,
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

-- End a run of leases: those of tasks of which nothing special is known here, the others otherwise. Their letters.
local function end_run(run, otherwise)
  local nonce, state, counter, number, count, first, step = unpack(run, 2, 8)
  local mark = HELD_ONCE .. named(RUNNING) .. named(nonce) .. named('')
  local upto, used = COUNTERS_AT + #mark, named(nonce)
  local letters, stored, results = {}, part_of(added, ROWS), part_of(added, RESULTS)
  for i = 1, count do
    local at = BLOBS + first + (i - 1) * step
    local id = ARGV[at]
    local raw = raws[id]
    if counter == 1 and raw and not rows[id] and raw:sub(COUNTERS_AT, upto - 1) == mark then
      local common = same_end(raw, state, number)
      local _, queue = struct.unpack('>I4c0I4c0', raw, upto)
      local ended = raw:sub(1, LIVE_AT - 1) .. common.live .. used .. raw:sub(upto)
      raws[id] = ended
      stored[#stored + 1] = id
      stored[#stored + 1] = ended
      tally(RUNNING, queue, -1)
      tally(state, queue, 1)
      end_lease(nonce, common.alone)
      common.together[#common.together + 1] = id
      told_tasks[id] = true
      if step == 2 then
        results[#results + 1] = id
        results[#results + 1] = ARGV[at + 1]
        told_results[id] = common.is_told and ARGV[at + 1] or nil
      end
      letters[i] = 'A'
    else
      letters[i] = otherwise(change_of(run, at - BLOBS))
    end
  end
  return table.concat(letters)
end
