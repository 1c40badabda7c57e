#!lua flags=allow-oom
-- How many entries a group has still to do: given and not acknowledged, and never given. ARGV: group.
local key, PAGE = KEYS[1], 1000
if redis.call('EXISTS', key) == 0 then return 0 end

local function count_behind(id)
  local count, from = 0, '(' .. id
  repeat
    local rows = redis.call('XRANGE', key, from, '+', 'COUNT', PAGE)
    count = count + #rows
    if #rows > 0 then from = '(' .. rows[#rows][1] end
  until #rows < PAGE
  return count
end

for _, flat in ipairs(redis.call('XINFO', 'GROUPS', key)) do
  local group = {}
  for i = 1, #flat, 2 do group[flat[i]] = flat[i + 1] end
  if group.name == ARGV[1] then
    return group.pending + (group.lag or count_behind(group['last-delivered-id']))
  end
end
return redis.call('XLEN', key)
