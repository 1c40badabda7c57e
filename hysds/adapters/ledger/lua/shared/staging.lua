-- Why a group takes no stage and no seal; nil where it does.
function kin.unstageable(group)
  if not group or group.kind ~= GROUP then return 'missing' end
  if ENDED[group.status] then return 'ended' end
  if group.reason ~= STAGED then return 'sealed' end
  if not kin.sums_of(group.id) then refuse('group ' .. group.id .. ' has no sums') end
end
