-- Record how tasks ended. ARGV: time, then id, generation, time to live of the result, what is known of it, for each.
-- Answers the outcome that stands for each: the end of its result, then what is known.

local function record(task, generation, ttl, known)
  local at = outcome_at(task, generation)
  local standing = hashes[OUTCOMES] and hashes[OUTCOMES][at] or call('HGET', OUTCOMES, at)
  if standing then
    return standing
  end
  local outcome = struct.pack('>I8', cut(now + ttl)) .. known
  put(OUTCOMES, at, outcome)
  rank(OVER, 'o' .. at, cut(now + math.max(2 * ttl, KEEP_AT_LEAST)))
  if generation >= (latest_of(task) or 0) then
    put(OUTCOMES, named(task), struct.pack('>I8', generation))
  end
  return outcome
end

local answer = {}
for i = 2, #ARGV, 4 do
  answer[#answer + 1] = record(ARGV[i], tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2]), ARGV[i + 3])
end
flush()
return answer
