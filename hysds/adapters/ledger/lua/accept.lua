#!lua
-- Take jobs in, in order. ARGV: clock, retention in ms, the submissions' JSON, then the spec of each.
local retention_ms, batch = tonumber(ARGV[2]), cjson.decode(ARGV[3])

-- Version 7 ids carry their time; a repeat of one older than the retention can't be told from a new job.
local function is_too_old(id)
  if string.sub(id, 15, 15) ~= '7' then return false end
  return tonumber(string.sub(id, 1, 8) .. string.sub(id, 10, 13), 16) < now_ms - retention_ms
end

local function accept(item, spec)
  local known = load(item.id)
  if known then
    if known.digest ~= item.digest then return {'conflict', known.status, '', ''} end
    return {'repeated', known.status, known.dedup_job, known.dedup_status}
  end
  if is_too_old(item.id) then return {'too-old', '', '', ''} end
  local retried = item.retry_of ~= '' and load(item.retry_of)
  if retried and not ENDED[retried.status] then return {'not-ended', retried.status, '', ''} end
  local parent = item.parent ~= '' and load(item.parent)
  if item.parent ~= '' and not kin.may_join(parent) then return {'no-parent', parent and parent.status or '', '', ''} end
  local live, unknown, failed = needs_of(item)
  if unknown then return {'no-dependency', '', unknown, ''} end
  return admit(item, spec, live, failed)
end

local answers, is_new = {}, {}
for i, item in ipairs(batch) do
  answers[i] = accept(asked(item), ARGV[3 + i])
  local how = answers[i][1]
  if how == 'accepted' then
    is_new[item.id] = true
  elseif how ~= 'deduped' and is_new[item.parent] then
    stands_already(item)
  end
end
return finish({cjson.encode(answers), announce()}) -- one text: a client reads it faster than a tree
