#!lua flags=allow-oom
-- Go on with what steps left in pieces. ARGV: clock, limit, a group whose staged members alone enter, or "".
local limit, only, answers = tonumber(ARGV[2]), ARGV[3], {}

local function add(list)
  for _, answer in ipairs(list) do answers[#answers + 1] = answer end
end

local function due(most)
  if only == '' then return zset_lowest(kin.CHORES, clock_ms, most) end
  local at = zset_score(kin.CHORES, 'enter ' .. only)
  return at and at <= clock_ms and {{at, 'enter ' .. only}} or {}
end

local doing = {}

function doing.abort(id)
  local group = sound(id)
  kin.done('abort', id)
  if not group or group.status ~= WAITING or group.reason ~= STAGED then return {} end
  local new = ended(changed(kin.emptied(group), {after_left = 0}), REVOKED, 'aborted')
  put(group, new, 'abort')
  return {{id, new.status}}
end

function doing.enter(id, most)
  local key, entered = P .. 'staged:' .. id, {}
  if not kin.is_sound(key, 'list') then
    kin.done('enter', id)
    return entered
  end
  local texts = redis.call('LRANGE', key, 0, 2 * most - 1)
  for i = 1, #texts, 2 do
    local item = asked(cjson.decode(texts[i]))
    if not pcall(twin_of, item) then
      kin.miscarries(item.parent) -- its dedup key can't be read: that keeps no other from entering
    elseif sound(item.id) or damaged[item.id] then
      stands_already(item)
    elseif kin.may_join(sound(item.parent)) then
      local live, _, failed = needs_of(item)
      entered[#entered + 1] = {item.id, admit(item, texts[i + 1], live, failed)[2]}
    end
  end
  if redis.call('LLEN', key) <= #texts then kin.done('enter', id) end
  if #texts > 0 then write('list', 'LTRIM', key, #texts, -1) end
  return entered
end

function doing.tell(id)
  kin.done('tell', id)
  return kin.tell(id)
end

doing.cancel, doing.free = kin.cancel_members, kin.free

for _, entry in ipairs(due(limit)) do
  local chore, id = string.match(entry[2], '^(%a+) (.*)$')
  if doing[chore] == nil then
    zset_drop(kin.CHORES, entry[2])
  elseif #answers < limit then
    add(doing[chore](id, limit - #answers))
  end
end
local ready = announce()
return finish({cjson.encode(answers), ready, #due(1) > 0 and 1 or 0})
