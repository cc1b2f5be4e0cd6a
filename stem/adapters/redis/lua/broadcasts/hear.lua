-- What was said in channels behind a position. ARGV: time, the position, how many, the channels.
-- Answers two values for each: id and message.

local after, wanted = tonumber(ARGV[2]), tonumber(ARGV[3])
local found = {}
for i = 4, #ARGV do
  local prefix = 'b' .. named(ARGV[i])
  local from, till = '[' .. prefix .. struct.pack('>I8', after + 1), '(' .. prefix .. '\255'
  for _, member in ipairs(call('ZRANGEBYLEX', ORDER, from, till, 'LIMIT', 0, wanted)) do
    found[#found + 1] = { struct.unpack('>I8', member, #prefix + 1), member:sub(#prefix + 9) }
  end
end
table.sort(found, function(a, b)
  return a[1] < b[1]
end)

local answer = {}
for i = 1, math.min(wanted, #found) do
  local id = found[i][2]
  answer[2 * i - 1] = id
  answer[2 * i] = call('HGET', BROADCASTS, id)
end
return answer
