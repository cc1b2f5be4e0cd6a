-- Declare limits. ARGV: time, a list as JSON of name, shared, and the limit as text (false for none).
-- Answers the tasks whose limits have changed. One member of REFUSED, which is in no queue, says that there are some.

local altered = {}

local function task_of(text)
  return text and cjson.decode(text)[1]
end

for _, one in ipairs(cjson.decode(ARGV[2])) do
  local name, shared, text = unpack(one)
  local before = call('HGET', NUMBERS, limit_at(name))
  if before ~= text then
    put(NUMBERS, limit_at(name), text)
    rank(ORDER, 'l' .. name, text and 0)
    altered[task_of(before) or shared], altered[shared] = true, true
  end
end
flush()
local has_some = #call('ZRANGEBYLEX', ORDER, '[l', '(m', 'LIMIT', 0, 1) > 0
rank(REFUSED, DECLARED, has_some and 0)
flush()
return names_of(altered)
