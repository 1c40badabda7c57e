#!lua flags=allow-oom
-- Take over what other members were given and left. ARGV: group, member, how long left in ms, limit.
local key, group, member, idle_ms, limit = KEYS[1], ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local PAGE = 1000
local ids, from = {}, '-'

local function page()
  local rows = redis.pcall('XPENDING', key, group, 'IDLE', idle_ms, from, '+', PAGE)
  if rows.err then
    if string.find(rows.err, 'NOGROUP', 1, true) then return {} end
    error(rows)
  end
  return rows
end

repeat
  local rows = page()
  for _, row in ipairs(rows) do
    if row[2] ~= member and #ids < limit then ids[#ids + 1] = row[1] end
  end
  if #rows > 0 then from = '(' .. rows[#rows][1] end
until #rows < PAGE or #ids == limit
if #ids == 0 then return {} end
local entries = {}
for _, entry in ipairs(redis.call('XCLAIM', key, group, member, 0, unpack(ids))) do
  if entry and entry[2] then entries[#entries + 1] = entry end
end
return entries
