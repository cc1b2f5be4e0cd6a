-- A schedule: its next and its last time (NEVER where there is none), its version, whether it is enabled, its spec.

local schedules = {}

local function schedule_of(id)
  local entry = schedules[id]
  if entry == nil then
    local raw = call('HGET', SCHEDULES, id)
    if raw then
      local next, last, version, enabled, at = struct.unpack('>i8i8I8B', raw)
      entry = { next = next > NEVER and next, last = last > NEVER and last, version = version }
      entry.enabled, entry.spec = enabled == 1, raw:sub(at)
    end
    schedules[id] = entry or false
  end
  return entry or nil
end

local function packed(entry)
  local next, last, enabled = entry.next or NEVER, entry.last or NEVER, entry.enabled and 1 or 0
  return struct.pack('>i8i8I8B', next, last, entry.version, enabled) .. entry.spec
end

local function put_schedule(id, entry)
  schedules[id] = entry
  put(SCHEDULES, id, packed(entry))
  rank(ORDER, 's' .. id, 0)
  rank(AGENDA, id, entry.enabled and entry.next)
end

local function tell_schedules(ids) -- two values for each that is there: id and entry
  local answer = {}
  for _, id in ipairs(ids) do
    local raw = call('HGET', SCHEDULES, id)
    if raw then
      answer[#answer + 1] = id
      answer[#answer + 1] = raw
    end
  end
  return answer
end
