#!lua flags=allow-oom
-- How many entries a group has still to do: given and not acknowledged, and never given. KEYS: stream. ARGV: group.
-- The second part of an id counts the entries, also those that were dropped; the server's own lag forgets these.
local key = KEYS[1]
if redis.call('EXISTS', key) == 0 then return 0 end
local function count(id) return tonumber(string.match(id, '%d+$')) end
local first = redis.call('XRANGE', key, '-', '+', 'COUNT', 1)[1]
if not first then return 0 end
local last = redis.call('XREVRANGE', key, '+', '-', 'COUNT', 1)[1]

for _, flat in ipairs(redis.call('XINFO', 'GROUPS', key)) do
  local group = {}
  for i = 1, #flat, 2 do group[flat[i]] = flat[i + 1] end
  if group.name == ARGV[1] then
    local given = 0
    local from = first[1]
    repeat
      local rows = redis.call('XPENDING', key, group.name, from, '+', 1000)
      given = given + #rows
      if #rows > 0 then from = '(' .. rows[#rows][1] end
    until #rows < 1000
    return given + math.max(count(last[1]) - math.max(count(group['last-delivered-id']), count(first[1]) - 1), 0)
  end
end
return redis.call('XLEN', key)
