#!lua flags=allow-oom
-- Take ended jobs out for good, whose last document the store holds, and free the keys that name them.
-- ARGV: clock, then id and digest by turns; the digest is for a job whose record is forgotten, as its key may stand.
local gone = {}

local function free_key(digest, id)
  local key = digest ~= '' and key_of(digest)
  if not key or key.owner ~= id then return end
  set_key(digest, false)
  zset_drop(RETIRE_KEYS, digest)
end

-- {how, where it stood, its last revision}
local function purge(id, digest)
  local record = not gone[id] and sound(id)
  if damaged[id] then return {'damaged', '', '0'} end
  if not record then
    free_key(digest, id)
    return {'missing', '', '0'}
  end
  if not ENDED[record.status] then return {'live', record.status, '0'} end
  if record.confirmed == 0 then return {'unwritten', record.status, '0'} end
  if kin.is_waited_for(id) then return {'awaited', record.status, '0'} end
  free_key(record.dedup, id)
  drop_record(id)
  gone[id] = true
  return {'purged', record.status, num(record.revision)}
end

local answers = {}
for i = 2, #ARGV, 2 do answers[i / 2] = purge(ARGV[i], ARGV[i + 1]) end
return finish(answers)
