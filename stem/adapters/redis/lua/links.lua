-- Who waits for whom. LINKS has the live messages that continue something, each behind what it continues.

local heads, waiting = {}, {}

local function head_of(id, row) -- what the producer fixed: after, member, root, parent, tags
  local head = heads[id]
  if not head then
    head = cjson.decode(row.head)
    heads[id] = head
  end
  return head
end

local function awaited_as(kind, id) -- a task or a group, as LINKS names it
  return named(kind .. id)
end

local function continued_by(id, row)
  local after = head_of(id, row).after
  return awaited_as(after[1], after[2])
end

local function waiting_for(upstream) -- ids, each with the number of its publication
  local found = waiting[upstream]
  if not found then
    found = {}
    for _, member in ipairs(call('ZRANGEBYLEX', LINKS, '[' .. upstream, '(' .. upstream .. '\255')) do
      found[member:sub(#upstream + 9)] = struct.unpack('>I8', member, #upstream + 1)
    end
    waiting[upstream] = found
  end
  return found
end

local function is_awaited(kind, id)
  return next(waiting_for(awaited_as(kind, id))) ~= nil
end

local function in_order(upstream) -- the ids of those that wait, the oldest publication first
  local ids, numbers = {}, waiting_for(upstream)
  for id in pairs(numbers) do
    ids[#ids + 1] = id
  end
  table.sort(ids, function(a, b)
    return numbers[a] < numbers[b]
  end)
  return ids
end

local function link_at(id, row, upstream)
  return upstream .. struct.pack('>I8', row.seq) .. id
end

local function link(id, row)
  local upstream = continued_by(id, row)
  waiting_for(upstream)[id] = row.seq
  rank(LINKS, link_at(id, row, upstream), 0)
end

local function unlink(id, row)
  local upstream = continued_by(id, row)
  waiting_for(upstream)[id] = nil
  rank(LINKS, link_at(id, row, upstream), false)
end

-- A record whose time of retention came while somebody needed it is looked at again when nobody does.
local function unpin_task(id, row)
  if row and row.pinned == 1 and TERMINAL[row.state] then
    row.pinned = 0
    changed[id] = true
    rank(ENDED, cjson.encode({ id }), row.keep_until)
  end
end
