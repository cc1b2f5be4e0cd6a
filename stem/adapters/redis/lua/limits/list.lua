-- All limits, by name. ARGV: time. Answers two values for each: name and text.

local answer = {}
for _, member in ipairs(call('ZRANGEBYLEX', ORDER, '[l', '(m')) do
  local name = member:sub(2)
  answer[#answer + 1] = name
  answer[#answer + 1] = call('HGET', NUMBERS, limit_at(name))
end
return answer
