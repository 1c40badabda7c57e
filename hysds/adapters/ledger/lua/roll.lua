#!lua flags=allow-oom
-- New jobs are born in another generation of the store's indices, or old ones are given up. ARGV: clock, the current,
-- the oldest; neither goes down, as a reconciler that is late knows less.
local current, oldest = generations()
current = math.max(current, tonumber(ARGV[2]))
oldest = math.min(math.max(oldest, tonumber(ARGV[3])), current)
write('hash', 'HSET', GENERATIONS, 'current', num(current), 'oldest', num(oldest))
return finish({'current', num(current), 'oldest', num(oldest)})
