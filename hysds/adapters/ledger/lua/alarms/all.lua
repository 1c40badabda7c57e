#!lua flags=no-writes
-- The server's time in ms, then every alarm. KEYS: alarms.
local time = redis.call('TIME')
local found = redis.call('HVALS', KEYS[1])
table.insert(found, 1, string.format('%.0f', tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)))
return found
