#!lua flags=allow-oom
-- The server's memory is full: logs give way, and nothing is added. ARGV: clock, log, retention in ms.
sweep()
return shed(math.max(excess(), 0))
