-- Which results somebody waits for. ARGV: time, the ids. Answers those ids.

local ids, answer = {}, {}
for i = 2, #ARGV do
  ids[i - 1] = ARGV[i]
end
fetch(ids)
for _, id in ipairs(ids) do
  if rows[id] and is_needed(id, rows[id]) then
    answer[#answer + 1] = id
  end
end
return answer
