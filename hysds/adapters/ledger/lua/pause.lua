#!lua flags=allow-oom
-- Nothing of a queue is claimed until it is resumed. ARGV: clock, queue, reason.
tallies.touch(ARGV[2]).pause = {num(now_ms), ARGV[3]}
write('set', 'SADD', P .. 'queues', ARGV[2])
return finish({{}, {}, 0})
