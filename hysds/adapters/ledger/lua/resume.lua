#!lua flags=allow-oom
-- The ready work of a queue may be claimed again. ARGV: clock, queue.
local queue = ARGV[2]
if not is_paused(queue) then return finish({{}, {}, 0}) end
for shape in pairs(shapes_of(queue)) do
  local jobs_ready = redis.call('ZCARD', P .. 'ready:' .. queue .. ':' .. shape)
  if jobs_ready > 0 then make_ready({queue = queue, shape = shape}, jobs_ready) end
end
local has_work = next(made) ~= nil
paused[queue] = false
write('hash', 'HDEL', P .. 'queue:' .. queue, 'paused')
if not has_work then write('set', 'SREM', P .. 'queues', queue) end
return finish({{}, announce(), 0})
