#!lua flags=allow-oom
-- Where a queued job stands: {ready jobs of its queue before it, all of them, paused, who keeps its host free for it,
-- when it was paused, why}; {} where it is not queued. ARGV: clock, id.
local record = load(ARGV[2])
if not record or record.status ~= QUEUED then return {} end
local score, ahead, ready = num(placement(record)), 0, 0
for shape in pairs(shapes_of(record.queue)) do
  local key = P .. 'ready:' .. record.queue .. ':' .. shape
  ready = ready + redis.call('ZCARD', key)
  ahead = ahead + redis.call('ZCOUNT', key, '-inf', '(' .. score)
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', key, score, score)) do
    if before(id, record.id) then ahead = ahead + 1 end
  end
end
local reserved_by = record.reserved_ms > clock_ms and record.reserved_by or ''
local pause = tallies.of(record.queue).pause
return {ahead, ready, pause and 1 or 0, reserved_by, pause and pause[1] or '0', pause and pause[2] or ''}
