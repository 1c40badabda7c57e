#!lua flags=allow-oom
-- Drop confirmed records, and keys whose window is over. ARGV: clock, the most keys to drop, ids.
local gone, seen = {}, {}
for i = 3, #ARGV do
  local id = ARGV[i]
  local record = not seen[id] and sound(id)
  if damaged[id] then zset_drop(RETIRE, id) end -- the audit sets it aside
  if record and ENDED[record.status] and record.confirmed == 1 and not kin.is_waited_for(id) then
    drop_record(id)
    gone[#gone + 1] = id
    seen[id] = true
  end
end
for _, entry in ipairs(zset_lowest(RETIRE_KEYS, now_ms, tonumber(ARGV[2]))) do
  zset_drop(RETIRE_KEYS, entry[2])
  set_key(entry[2], false)
end
return finish(gone)
