-- What is used of the allowances of a name. ARGV: time, name, rate key, concurrency key. Answers the limit as text, up to
-- when starts are given out, and how many hold it; nothing where there is no limit.

local name, rate_key, concurrency_key = unpack(ARGV, 2)
local text = call('HGET', NUMBERS, limit_at(name))
if not text then
  return {}
end
local shared = cjson.decode(text)[1]
local function used(kind, key)
  return call('HGET', NUMBERS, used_at(allowance(shared, kind, key))) or '0'
end
return { text, used(BY_RATE, rate_key), used(BY_HOLDERS, concurrency_key) }
