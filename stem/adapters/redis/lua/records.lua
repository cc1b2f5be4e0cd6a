-- Records by their ids. ARGV: time, 1 where the envelopes are wanted too, the ids.
-- Answers the time, then four values for each that is known: row, envelope, result, rare facts.

local answer = { now }
local ids = { unpack(ARGV, 3) }
if #ids == 0 then
  return answer
end
local found = call('HMGET', ROWS, unpack(ids))
local envelopes = ARGV[2] == '1' and call('HMGET', BODIES, unpack(ids)) or {}
local results = call('HMGET', RESULTS, unpack(ids))
local facts = call('HMGET', EXTRAS, unpack(ids))
for i = 1, #ids do
  if found[i] then
    answer[#answer + 1] = found[i]
    answer[#answer + 1] = envelopes[i] or ''
    answer[#answer + 1] = results[i]
    answer[#answer + 1] = facts[i]
  end
end
return answer
