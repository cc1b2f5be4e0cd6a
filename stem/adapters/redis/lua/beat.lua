-- A sign of life. ARGV: time, channel, origin, the heartbeat as JSON, for how long a worker is remembered.
-- Answers the queues whose parked messages somebody new may be able to run.

local beat = cjson.decode(ARGV[4])
local remembered = tonumber(ARGV[5])
local MISSED = 3

local function seen(text)
  local found = cjson.decode(text)
  found.last = tonumber(found.last_seen)
  found.late = now - found.last > MISSED * found.every
  return found
end

-- Whether a live worker has this registry; asked only when a worker is new, so that beats stay cheap.
local function is_known(fingerprint)
  local known = false
  local all = call('HGETALL', WORKERS)
  for i = 1, #all, 2 do
    local other = seen(all[i + 1])
    if now - other.last > remembered then
      put(WORKERS, all[i], false)
    elseif other.fingerprint == fingerprint and not other.late then
      known = true
    end
  end
  return known
end

local text = call('HGET', WORKERS, beat.worker)
local before = text and seen(text)
local goes_on = before and before.fingerprint == beat.fingerprint and not before.late
if not goes_on and not is_known(beat.fingerprint) then
  for _, queue in ipairs(beat.queues) do
    local prefix = named(queue)
    if call('ZRANGEBYLEX', REFUSED, '[' .. prefix, '(' .. prefix .. '\255', 'LIMIT', 0, 1)[1] then
      told_queues[queue] = true
    end
  end
end
local time = text_of(now)
beat.first_seen, beat.last_seen = before and before.first_seen or time, time
put(WORKERS, beat.worker, cjson.encode(beat))
flush()
return tell(ARGV[2], ARGV[3])
