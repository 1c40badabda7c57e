#!lua flags=allow-oom
-- All queues with ready work or a pause: {name, ready jobs, paused} …
local answer = {}
for i, queue in ipairs(redis.call('SMEMBERS', P .. 'queues')) do
  local ready = 0
  for shape in pairs(shapes_of(queue)) do ready = ready + redis.call('ZCARD', P .. 'ready:' .. queue .. ':' .. shape) end
  answer[i] = {queue, ready, is_paused(queue) and 1 or 0}
end
return answer
