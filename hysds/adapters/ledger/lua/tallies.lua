#!lua flags=allow-oom
-- All queues that are known: {name, ready jobs, when the oldest of them became ready, the queue's fields} …
local names, answer = {}, {}
for _, name in ipairs(redis.call('ZRANGE', tallies.KNOWN, 0, -1)) do names[name] = true end
for _, name in ipairs(redis.call('SMEMBERS', P .. 'queues')) do names[name] = true end

-- When the oldest entry of a ready list became ready: the first one of each priority tells.
local function oldest(key, known)
  local low = '-inf'
  while true do
    local row = redis.call('ZRANGEBYSCORE', key, low, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
    if not row[1] then return known end
    local band = math.floor(tonumber(row[2]) / PRIORITY_STEP)
    local ms = tonumber(row[2]) - band * PRIORITY_STEP
    if not known or ms < known then known = ms end
    low = num((band + 1) * PRIORITY_STEP)
  end
end

for name in pairs(names) do
  local ready, first, fields = 0, nil, {}
  for shape in pairs(shapes_of(name)) do
    local key = P .. 'ready:' .. name .. ':' .. shape
    ready = ready + redis.call('ZCARD', key)
    first = oldest(key, first)
  end
  for field, text in pairs(tallies.of(name).raw) do
    fields[#fields + 1] = field
    fields[#fields + 1] = text
  end
  answer[#answer + 1] = {name, ready, num(first or 0), fields}
end
return answer
