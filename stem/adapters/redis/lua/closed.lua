-- Members whose group has its answer are not leased: those that a call comes upon are cancelled.

local function has_answer(id, row)
  if row.belongs == 0 or row.joined == 1 then
    return false
  end
  local group = find_group(head_of(id, row).member[1])
  return group and is_closed(group)
end

-- The ids without those members, and how many these are; at most `most` of them are cancelled.
local function without_closed(ids, most)
  local left, met = {}, 0
  for _, id in ipairs(ids) do
    local row = find(id)
    if not (row and has_answer(id, row)) then
      left[#left + 1] = id
    else
      met = met + 1
      if met <= most then
        group_closed(id, row, head_of(id, row).member[1])
        follow_up()
      end
    end
  end
  return left, met
end
