#!lua flags=allow-oom
-- Unclaimed jobs are revoked; started ones marked, and their workers told; a group's members with it. ARGV: clock, ids.
local answers = {}
for i = 2, #ARGV do answers[i - 1] = {ARGV[i], kin.cancel(ARGV[i])} end
local ready = announce()
for _, answer in ipairs(answers) do
  -- a group may have ended with the last of its members, in this very step
  if answer[2] == WAITING then answer[2] = load(answer[1]).status end
end
return finish({answers, ready, 0})
