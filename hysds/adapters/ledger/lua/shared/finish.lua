-- All writes, after everything has been decided and checked; then the answer.
local function finish(answer)
  kin.follow()
  if throttles.is_used and throttles.is_stirred() then announce() end
  for _, name in ipairs(tallies.order) do tallies.settle(name) end
  for _, key in ipairs(zset_order) do write_zset(key) end
  for _, key in ipairs(list_order) do write_index(key) end
  if throttles.is_used then throttles.write() end
  kin.write()
  for _, name in ipairs(tallies.order) do tallies.write(name) end
  for id in pairs(dirty) do write_record(id) end
  for _, digest in ipairs(dedup_order) do write_key(digest) end
  for _, name in ipairs(worker_order) do write_worker(name) end
  for _, name in ipairs(inbox_order) do write_inbox(name) end
  for _, call in ipairs(writes) do redis.call(unpack(call)) end
  return answer
end
