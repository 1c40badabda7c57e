#!lua flags=allow-oom
-- Order that a worker take no more jobs, under every incarnation of its name. What was pledged to it is pledged to
-- others, and no host is kept free for it any more. ARGV: clock, name, within ms (-1: without an end), reason.
write('hash', 'HSET', DRAINS, ARGV[2], num(now_ms) .. ' ' .. ARGV[3] .. ' ' .. ARGV[4])

local told, queues = {}, {}
for i, worker in ipairs(incarnations_of(ARGV[2])) do
  need(P .. 'worker:' .. worker.name, 'hash')
  for _, queue in ipairs(cjson.decode(worker.queues)) do
    zset_drop(P .. 'hears:' .. queue, worker.name)
    if worker.pledged > 0 then queues[queue] = true end
  end
  worker.pledged = 0
  drop_reservation(worker)
  tell(worker.name, 'drain')
  told[i] = worker.name
end
for queue in pairs(queues) do make_all_ready(queue) end
announce()
return finish(told)
