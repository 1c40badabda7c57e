#!lua flags=allow-oom
-- Ids whose time after the confirmation is over, oldest first. ARGV: clock, limit.
local ids = {}
for i, entry in ipairs(zset_lowest(RETIRE, now_ms, tonumber(ARGV[2]))) do ids[i] = entry[2] end
return ids
