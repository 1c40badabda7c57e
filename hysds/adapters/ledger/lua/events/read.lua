#!lua flags=allow-oom
-- Entries for a member: those it was given before and never acknowledged, then new ones. ARGV: group, member, limit,
-- whether the group begins now where there is none ('1'), or there is nothing to read then.
local key, group, member, limit, begins = KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4] == '1'

local function read(after, count)
  local call = {'XREADGROUP', 'GROUP', group, member, 'COUNT', count, 'STREAMS', key, after}
  local answer = redis.pcall(unpack(call))
  if answer and answer.err then
    if not string.find(answer.err, 'NOGROUP', 1, true) then error(answer) end
    if not begins then return {} end
    redis.call('XGROUP', 'CREATE', key, group, '0', 'MKSTREAM')
    answer = redis.call(unpack(call))
  end
  return answer and answer[1] and answer[1][2] or {}
end

local entries = {}
for _, entry in ipairs(read('0', limit)) do
  if entry[2] then
    entries[#entries + 1] = entry
  else
    redis.call('XACK', key, group, entry[1]) -- it was trimmed away
  end
end
if #entries < limit then
  for _, entry in ipairs(read('>', limit - #entries)) do entries[#entries + 1] = entry end
end
return entries
