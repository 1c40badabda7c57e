#!lua flags=allow-oom
-- Take a drain order back, and wake the workers that it was for. ARGV: clock, name.
if redis.call('HEXISTS', DRAINS, ARGV[2]) == 0 then return finish(0) end
write('hash', 'HDEL', DRAINS, ARGV[2])
for _, worker in ipairs(incarnations_of(ARGV[2])) do
  if worker.slots > 0 then
    for _, queue in ipairs(cjson.decode(worker.queues)) do zset_put(P .. 'hears:' .. queue, worker.name, 0) end
  end
  tell(worker.name, 'wake')
end
return finish(1)
