#!lua flags=no-writes
-- What is held of jobs: for each the JSON of {record, long values, ended attempts, error}, and its spec; both empty
-- where there is none. It ends early behind so many bytes. KEYS: what all keys begin with. ARGV: those bytes, ids.
local base, left = KEYS[1], tonumber(ARGV[1])
local answers = {}
for i = 2, #ARGV do
  local id = ARGV[i]
  local short = redis.call('HGETALL', base .. 'job:' .. id)
  local text, spec = '', ''
  if #short > 0 then
    text = cjson.encode({
      short,
      redis.call('HGETALL', base .. 'long:' .. id),
      redis.call('LRANGE', base .. 'tries:' .. id, 0, -1),
      redis.call('GET', base .. 'error:' .. id) or '',
    })
    spec = redis.call('GET', base .. 'spec:' .. id) or ''
  end
  answers[#answers + 1] = text
  answers[#answers + 1] = spec
  left = left - #text - #spec
  if left <= 0 then break end
end
return answers
