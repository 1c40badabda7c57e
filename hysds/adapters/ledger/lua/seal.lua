#!lua flags=allow-oom
-- All members of a group have been staged: from now on they will all stand in the ledger. ARGV: clock, group.
local function seal()
  local group = load(ARGV[2])
  local refusal = kin.unstageable(group)
  if refusal then return refusal end
  need(P .. 'staged:' .. group.id, 'list')
  local staged = redis.call('LLEN', P .. 'staged:' .. group.id) / 2
  if staged ~= kin.sums_of(group.id).staged then return 'incomplete' end
  local new = stepped(group, {reason = group.after_left > 0 and AFTER or MEMBERS})
  kin.done('abort', group.id)
  put(group, new, 'seal')
  kin.let_in(new)
  return 'sealed'
end

return finish(seal())
