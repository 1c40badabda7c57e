#!lua flags=allow-oom
-- The ready work of a queue may be claimed again. ARGV: clock, queue.
local queue = ARGV[2]
if not is_paused(queue) then return finish({{}, {}, 0}) end
make_all_ready(queue)
local has_work = next(made) ~= nil
tallies.touch(queue).pause = nil
if not has_work then write('set', 'SREM', P .. 'queues', queue) end
return finish({{}, announce(), 0})
