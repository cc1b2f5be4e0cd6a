-- The revocations of ids. ARGV: time, the ids. Answers the texts of those that hold.

local answer = {}
for i = 2, #ARGV do
  local found = call('HGET', REVOCATIONS, ARGV[i])
  local _, ends, at = struct.unpack('>i8I8', found or ('\0'):rep(16))
  if ends > now then
    answer[#answer + 1] = found:sub(at)
  end
end
return answer
