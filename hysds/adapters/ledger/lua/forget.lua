#!lua flags=allow-oom
-- Drop confirmed records, keys whose window is over, and queues that were not used for long. ARGV: clock, the most
-- keys and queues to drop, ids.
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
for _, entry in ipairs(zset_lowest(tallies.KNOWN, now_ms, tonumber(ARGV[2]))) do
  zset_drop(tallies.KNOWN, entry[2])
  -- one that has ready jobs all the same (strays that were mended) is known again by its next job
  if redis.call('EXISTS', P .. 'shapes:' .. entry[2]) == 0 then erase(P .. 'queue:' .. entry[2]) end
end
return finish(gone)
