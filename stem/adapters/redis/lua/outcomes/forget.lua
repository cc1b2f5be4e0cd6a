-- Delete what is old of some tasks, or look at it again later. ARGV: time, when, then for each: '1' (needed) or '0', id.

local function delete(task, at)
  put(OUTCOMES, at, false)
  if latest_of(task) == struct.unpack('>I8', at, #at - 7) then
    put(OUTCOMES, named(task), false)
  end
end

local function forget(task, is_needed)
  local old = 'o' .. named(task)
  for _, member in ipairs(call('ZRANGEBYLEX', ORDER, '[' .. old, '(' .. old .. '\255\255')) do
    rank(ORDER, member, false)
    if is_needed then
      rank(OVER, member, cut(now + ARGV[2]))
    else
      delete(task, member:sub(2))
    end
  end
end

for i = 3, #ARGV, 2 do
  forget(ARGV[i + 1], ARGV[i] == '1')
end
flush()
return 0
