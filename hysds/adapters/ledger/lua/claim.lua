#!lua flags=allow-oom
-- The best ready job that fits, under a lease and a fence above any before. ARGV: clock, the bid's JSON.
local answer = claim(cjson.decode(ARGV[2]))
return finish(answer)
