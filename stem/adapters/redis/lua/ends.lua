-- The end of a task, which every kind of script may bring. Where others have to hear of it, ties.lua goes on.

local following = {} -- ends and answers that others have not heard of yet
local besides = {} -- tasks that ended without having been named by the change

local function is_read(row) -- whether somebody will read the result
  return row.ignored == 0 or row.awaited == 1 or row.belongs == WITH_PLACE
end

local function kept_until(how, result_ttl)
  return cut(now + math.max(KEEP_TIMES[how] * result_ttl, KEEP_LEAST[how]))
end

local function keep(id, row, how)
  row.keep_until = kept_until(how, row.result_ttl)
  local together = part_of(endings, row.keep_until)
  together[#together + 1] = id
  changed[id] = true
end

local function finish(id, row, state, how) -- `how` it is kept, where that is not as its state says
  move(row, state)
  row.due, row.held_after, row.held_member = 0, 0, 0
  row.finished = now
  row.result_until = is_read(row) and cut(now + row.result_ttl) or 0
  keep(id, row, how or state)
  free_key(id, row)
  told_tasks[id] = true
  if row.awaited == 1 or row.follows == 1 or row.belongs > 0 then
    following[#following + 1] = { id, row }
  end
end

local function call_off(id, row, kind, message) -- cancel what waits, though nobody asked for it
  leave(id, row)
  note(id, row, 'error', cjson.encode({ kind, message, '', '' }))
  finish(id, row, CANCELLED)
  besides[#besides + 1] = id
end
