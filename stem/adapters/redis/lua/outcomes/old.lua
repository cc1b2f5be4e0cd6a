-- Tasks of which an outcome has been found to be old. ARGV: time, how many.

local answer = {}
for i, member in ipairs(call('ZRANGEBYLEX', ORDER, '[o', '(p', 'LIMIT', 0, ARGV[2])) do
  answer[i] = struct.unpack('>I4c0', member, 2)
end
return answer
