-- Members that have a place, by place. ARGV: time, group, the first place, how many. Answers two values for each: place, id.

local raw = call('HGET', GROUPS, ARGV[2])
local group = raw and decode_group(raw)
if not group or group.state == GONE then
  return {}
end
local prefix = named(ARGV[2])
local from, till = '[' .. prefix .. struct.pack('>I8', tonumber(ARGV[3])), '(' .. prefix .. ('\255'):rep(8)
local answer = {}
for _, member in ipairs(call('ZRANGEBYLEX', MEMBERS, from, till, 'LIMIT', 0, ARGV[4])) do
  answer[#answer + 1] = (struct.unpack('>I8', member, #prefix + 1))
  answer[#answer + 1] = member:sub(#prefix + 9)
end
return answer
