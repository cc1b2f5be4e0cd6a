-- Revocations by version and id. ARGV: time, how many, and the version and the id to go on behind, where these are given.
-- Answers their texts.

local wanted, version, id = tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local from = version and '(r' .. sortable(version) .. id or '[r'
local answer = {}

local function take(members)
  for _, member in ipairs(members) do
    local found = call('HGET', REVOCATIONS, member:sub(10))
    local _, ends, at = struct.unpack('>i8I8', found)
    if ends > now and #answer < wanted then
      answer[#answer + 1] = found:sub(at)
    end
    from = '(' .. member
  end
end

while #answer < wanted do
  local members = call('ZRANGEBYLEX', ORDER, from, '(s', 'LIMIT', 0, wanted)
  if #members == 0 then
    break
  end
  take(members)
end
return answer
