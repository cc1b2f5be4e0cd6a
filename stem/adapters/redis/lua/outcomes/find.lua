-- The latest outcomes of tasks. ARGV: time, the ids. Answers two values for each that has one: id and outcome.

local answer = {}
for i = 2, #ARGV do
  local generation = latest_of(ARGV[i])
  local found = generation and call('HGET', OUTCOMES, outcome_at(ARGV[i], generation))
  if found then
    answer[#answer + 1] = ARGV[i]
    answer[#answer + 1] = found
  end
end
return answer
