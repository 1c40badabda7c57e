#!lua flags=allow-oom
-- Nothing of a queue is claimed until it is resumed. ARGV: clock, queue.
write('hash', 'HSET', P .. 'queue:' .. ARGV[2], 'paused', '1')
write('set', 'SADD', P .. 'queues', ARGV[2])
return finish({{}, {}, 0})
