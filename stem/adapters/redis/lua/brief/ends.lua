-- The ordinary life of a task, as in leases.lua: here it ends.

local ends, marks = {}, {} -- what the ends of this batch have in common

local function end_of(raw, state, number) -- the numbers of what ends, and what follows from them
  local ttl, _, _, started_at, _, _, _, _, _, _, began, alone = struct.unpack(TTL_AND_LIVE, raw, TTL_AT)
  local kept = cut(now + math.max(KEEP_TIMES[state] * ttl, KEEP_LEAST[state]))
  local live = struct.pack(LIVE, 0, 0, started_at, now, cut(now + ttl), kept, NEVER, number, 0, began, 0)
  return { live = live .. OVER_AT_ONCE, together = part_of(endings, kept), number = number, alone = alone == 1, is_told = ttl > 0 }
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

local function mark_of(nonce) -- how the texts of what this call leased begin
  local mark = marks[nonce]
  if not mark then
    mark = named(RUNNING) .. named(nonce) .. named('')
    marks[nonce] = mark
  end
  return mark
end

-- End a task of which nothing special is known. Whether that could be done.
local function end_life(id, change)
  local raw, nonce = raws[id], change[3]
  if not raw or rows[id] or change[2] ~= 1 or raw:sub(COUNTERS_AT, TEXTS_AT - 1) ~= HELD_ONCE then
    return false
  end
  local mark = mark_of(nonce)
  if raw:sub(TEXTS_AT, TEXTS_AT + #mark - 1) ~= mark then
    return false
  end
  local state, at = change[5][2], change[5][5]
  local common, rest = same_end(raw, state, change[4]), TEXTS_AT + #mark
  local _, queue = struct.unpack('>I4c0I4c0', raw, rest)
  local texts = named(state) .. named('') .. named(nonce) .. raw:sub(rest)
  put_row(id, raw:sub(1, LIVE_AT - 1) .. common.live .. texts)
  end_lease(nonce, common.alone)
  tally(RUNNING, queue, -1)
  tally(state, queue, 1)
  common.together[#common.together + 1] = id
  told_tasks[id] = true
  if at then
    append(added, RESULTS, id, ARGV[BLOBS + at])
    told_results[id] = common.is_told and ARGV[BLOBS + at] or nil
  end
  return true
end
