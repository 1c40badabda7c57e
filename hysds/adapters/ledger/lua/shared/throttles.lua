-- Limits and rates, and who stands where before them: core/throttles.py says the same, function by function.
-- A throttle is named `limit KEY` or `rate KEY`. throttle:<name> has its numbers, holders:<name> who holds its places
-- since when, called:<name>\n<queue>\n<shape> the ready jobs that name it, wait:<name>\n<queue>\n<shape> the lines that
-- wait at it by the score of their heads, expects:<name> until when called jobs of a queue and shape are expected (ledger
-- ms, as in `tokens`); line:<line> has the waiting jobs, `lines` where each line waits, `tokens` when
-- a rate must be looked at (ledger ms), `behind` what a step left to the next.
-- Built by the first step of a script that needs it: most jobs have no limit, and so many functions take their time.
setmetatable(throttles, {__index = function(_, wanted)
  setmetatable(throttles, nil)
  throttles.is_used = true
  local LINES, TOKENS, BEHIND = P .. 'lines', P .. 'tokens', P .. 'behind'
  local named, known, loaded, known_order = {}, {}, {}, {}
  local heads, at, at_before, at_order, new_pairs, behind = {}, {}, {}, {}, {}, {}
  local touched, stirred = {}, {}

  -- The lowest entry {score, member}; reads on where it stopped, so that to take one after the other costs no more than
  -- to read them once.
  local function zset_first(key)
    local z = zsets[key]
    if not z then
      local row = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')
      return row[1] and {tonumber(row[2]), row[1]} or nil
    end
    z.rows, z.at = z.rows or {}, z.at or 1
    while true do
      if z.at > #z.rows then
        local page = redis.call('ZRANGE', key, #z.rows / 2, #z.rows / 2 + 31, 'WITHSCORES')
        for _, value in ipairs(page) do z.rows[#z.rows + 1] = value end
        if #page == 0 then break end
      end
      if z.over[z.rows[z.at]] == nil then break end
      z.at = z.at + 2
    end
    local first = z.rows[z.at] and {tonumber(z.rows[z.at + 1]), z.rows[z.at]} or nil
    for member, score in pairs(z.over) do
      local entry = score and {score, member}
      if entry and (not first or is_entry_before(entry, first)) then first = entry end
    end
    return first
  end

  -- How many entries there will be, with a score up to `most` (nil: any).
  local function zset_count(key, most)
    need(key, 'zset')
    local z = zsets[key]
    local count = most and redis.call('ZCOUNT', key, '-inf', num(most)) or redis.call('ZCARD', key)
    if not z then return count end
    z.was = z.was or {}
    for member, score in pairs(z.over) do
      local was = z.was[member]
      if was == nil then
        was = tonumber(redis.call('ZSCORE', key, member) or nil) or false
        z.was[member] = was
      end
      if was and (not most or was <= most) then count = count - 1 end
      if score and (not most or score <= most) then count = count + 1 end
    end
    return count
  end

  local function is_rate(throttle) return throttle.interval_us > 0 end
  local function clock_us() return clock_ms * 1000 end
  local function score_of(record) return (10 - record.priority) * PRIORITY_STEP + record.ready_ms end
  local function pair_of(record) return record.queue .. '\n' .. record.shape end
  local function line_of(record)
    return record.shape .. '\n' .. record.limits .. '\n' .. record.rates .. '\n' .. record.queue
  end
  local function pair_of_line(line)
    local shape, queue = string.match(line, '^([^\n]*)\n[^\n]*\n[^\n]*\n(.*)$')
    return queue .. '\n' .. shape
  end
  local function holders_key(name) return P .. 'holders:' .. name end
  local function called_key(name, pair) return P .. 'called:' .. name .. '\n' .. pair end
  local function wait_key(name, pair) return P .. 'wait:' .. name .. '\n' .. pair end
  local function expects_key(name) return P .. 'expects:' .. name end
  local function line_key(line) return P .. 'line:' .. line end

  function throttles.waits_in_line(record)
    return record.status == WAITING and string.find(record.reason, '^limit ') ~= nil
      or record.status == WAITING and string.find(record.reason, '^rate ') ~= nil
  end

  -- What a record names: {name, places, interval_us, bucket} …, limits first.
  local function terms(record)
    local text = record.limits .. '\n' .. record.rates
    local found = named[text]
    if not found then
      found = {}
      for _, row in ipairs(throttles.rows_of(record.id, record.limits, 2)) do
        found[#found + 1] = {name = 'limit ' .. row[1], places = row[2], interval_us = 0, bucket = 0, full_us = 0}
      end
      for _, row in ipairs(throttles.rows_of(record.id, record.rates, 3)) do
        found[#found + 1] = {name = 'rate ' .. row[1], places = 0, interval_us = row[2], bucket = row[3], full_us = 0}
      end
      for _, said in ipairs(found) do found[said.name] = said end
      named[text] = found
    end
    return found
  end

  -- How a record stands among throttles (called, holds, waits), with its score; nil: in no way.
  local function standing(record)
    if not record or not throttles.is_limited(record) then return nil end
    if record.status == QUEUED then return 'called', score_of(record) end
    if record.status == STARTED then return 'holds', record.started_ms end
    if throttles.waits_in_line(record) then return 'waits', score_of(record) end
    return nil
  end

  local function touch(name)
    if not touched[name] then
      touched[name] = true
      touched[#touched + 1] = name
    end
  end

  local function stir(line)
    if not stirred[line] then
      stirred[line] = true
      stirred[#stirred + 1] = line
    end
  end

  -- The numbers of a throttle, nil where nobody needs it.
  local function known_of(name)
    if known[name] == nil then
      local key = P .. 'throttle:' .. name
      need(key, 'hash')
      local raw = redis.call('HMGET', key, 'places', 'interval_us', 'bucket', 'full_us')
      local throttle = {
        places = tonumber(raw[1] or 0) or 0, interval_us = tonumber(raw[2] or 0) or 0,
        bucket = tonumber(raw[3] or 0) or 0, full_us = tonumber(raw[4] or 0) or 0,
      }
      loaded[name] = (raw[1] or raw[2]) and throttle or false
      known[name] = (throttle.places > 0 or throttle.bucket > 0) and throttle or false
      known_order[#known_order + 1] = name
    end
    return known[name] or nil
  end

  local function set_known(name, throttle)
    known_of(name)
    known[name] = throttle
  end

  local function tokens_of(throttle)
    local missing_us = math.max(throttle.full_us - clock_us(), 0)
    return throttle.bucket - math.floor((missing_us + throttle.interval_us - 1) / throttle.interval_us)
  end

  local function with_full(throttle, full_us)
    return {places = throttle.places, interval_us = throttle.interval_us, bucket = throttle.bucket, full_us = full_us}
  end

  local function next_us_of(throttle)
    return throttle.full_us - throttle.interval_us * (throttle.bucket - tokens_of(throttle) - 1)
  end

  local function renumbered(was, said)
    if not is_rate(said) then return with_full(said, 0) end
    return with_full(said, math.min(was.full_us, clock_us() + said.bucket * said.interval_us))
  end

  local function note_pair(name, pair)
    if not new_pairs[name] then
      need(P .. 'pairs:' .. name, 'set')
      new_pairs[name] = {}
    end
    new_pairs[name][pair] = true
  end

  -- All pairs of which jobs may be called or wait at a throttle, in order.
  local function pairs_of(name)
    local found, seen = {}, {}
    need(P .. 'pairs:' .. name, 'set')
    for _, pair in ipairs(redis.call('SMEMBERS', P .. 'pairs:' .. name)) do seen[pair] = true end
    for pair in pairs(new_pairs[name] or {}) do seen[pair] = true end
    for pair in pairs(seen) do
      note_pair(name, pair)
      found[#found + 1] = pair
    end
    table.sort(found, before)
    return found
  end

  local function at_of(line)
    if at[line] == nil then
      need(LINES, 'hash')
      at[line] = redis.call('HGET', LINES, line)
      at_before[line] = at[line]
      at_order[#at_order + 1] = line
    end
    return at[line] or nil
  end

  -- The first {score, id} of a line.
  local function first_of(line)
    if heads[line] == nil then heads[line] = zset_first(line_key(line)) or false end
    return heads[line] or nil
  end

  -- A line waits at a throttle from now on; whether it waited elsewhere before.
  local function wait_at(line, name, head)
    local was, pair = at_of(line), pair_of_line(line)
    zset_put(wait_key(name, pair), line, score_of(head))
    note_pair(name, pair)
    if not known_of(name) then set_known(name, with_full(terms(head)[name], 0)) end
    if was == name then return false end
    at[line] = name
    touch(name)
    if was then
      zset_drop(wait_key(was, pair), line)
      touch(was)
    end
    return true
  end

  local function wait_nowhere(line)
    local was = at_of(line)
    if not was then return end
    zset_drop(wait_key(was, pair_of_line(line)), line)
    at[line] = false
    touch(was)
  end

  -- A line stands where it waits by the score of its head.
  local function follow_head(line)
    local name, head = at_of(line), first_of(line)
    if not name then return end
    if head then zset_put(wait_key(name, pair_of_line(line)), line, head[1]) else zset_drop(wait_key(name, pair_of_line(line)), line) end
  end

  local function drop_from_line(line, id)
    local was_first = not first_of(line) or first_of(line)[2] == id
    zset_drop(line_key(line), id)
    if was_first then
      heads[line] = nil
      follow_head(line)
    end
    stir(line)
  end

  local function leave(record, how)
    if how == 'waits' then return drop_from_line(line_of(record), record.id) end
    for _, said in ipairs(terms(record)) do
      if how == 'called' then
        zset_drop(called_key(said.name, pair_of(record)), record.id)
        note_pair(said.name, pair_of(record))
        touch(said.name)
      elseif not is_rate(said) then
        zset_drop(holders_key(said.name), record.id)
        touch(said.name)
      end
    end
  end

  local function enter(record, how, score)
    if how == 'waits' then
      local line = line_of(record)
      local entry, head = {score, record.id}, first_of(line)
      zset_put(line_key(line), record.id, score)
      if not head or is_entry_before(entry, head) then
        heads[line] = entry
        follow_head(line)
      end
      if not at_of(line) and terms(record)[record.reason] then wait_at(line, record.reason, record) end
      return stir(line)
    end
    for _, said in ipairs(terms(record)) do
      if how == 'called' then
        zset_put(called_key(said.name, pair_of(record)), record.id, score)
        zset_put(expects_key(said.name), pair_of(record), clock_ms + 1000)
        note_pair(said.name, pair_of(record))
      elseif not is_rate(said) then
        zset_put(holders_key(said.name), record.id, score)
      end
      if not known_of(said.name) then set_known(said.name, with_full(said, 0)) end
      touch(said.name)
    end
  end

  -- Take a job from where it stood to where it stands now; nil: nowhere.
  function throttles.move(old, new)
    local how, score = standing(old)
    local how_after, score_after = standing(new)
    if how == how_after and score == score_after and (not how or pair_of(old) == pair_of(new)) then return end
    if how then leave(old, how) end
    if how_after then enter(new, how_after, score_after) end
  end

  -- Keep the numbers that a submission names; whether one changed.
  function throttles.name(record, creates)
    local is_changed = false
    for _, said in ipairs(terms(record)) do
      local was = known_of(said.name)
      if was or creates then
        local now = was and renumbered(was, said) or with_full(said, 0)
        if not was or was.places ~= now.places or was.interval_us ~= now.interval_us or was.bucket ~= now.bucket
          or was.full_us ~= now.full_us then
          set_known(said.name, now)
          touch(said.name)
          is_changed = is_changed or was ~= nil
        end
      end
    end
    return is_changed
  end

  -- Whether one of a job's throttles must be looked at, and nobody has yet.
  local function is_late(record)
    local found = false
    for _, said in ipairs(terms(record)) do
      local ms = zset_score(TOKENS, said.name)
      if ms and ms <= clock_ms then
        touch(said.name)
        found = true
      end
    end
    return found
  end

  -- Places or tokens that nobody has.
  local function free(said)
    local throttle = known_of(said.name) or said
    if is_rate(throttle) then return tokens_of(throttle) end
    return throttle.places - zset_count(holders_key(said.name))
  end

  -- The first throttle that has nothing free for a ready job.
  local function over(record)
    for _, said in ipairs(terms(record)) do
      if free(said) < 1 then return said.name end
    end
    return nil
  end

  -- Queues and shapes whose called jobs are expected: {until, pair} …
  local function expected(name)
    local found = {}
    for _, entry in ipairs(zset_lowest(expects_key(name))) do
      if entry[1] > clock_ms then found[#found + 1] = entry end
    end
    return found
  end

  -- As many called jobs as are free come before it. Those of other queues and shapes count while they are expected:
  -- later on, nobody may ever come for them.
  local function keeps(name, record)
    local said, mine, score = terms(record)[name], pair_of(record), score_of(record)
    if not said then return false end
    local count, left = zset_count(called_key(name, mine), score), free(said)
    if count >= left then return true end
    for _, entry in ipairs(expected(name)) do
      if entry[2] ~= mine then count = count + zset_count(called_key(name, entry[2]), score) end
    end
    return count >= left
  end

  -- Whether anybody of its queue and shape waits at a throttle who comes before it.
  local function is_behind_others(name, record)
    local first, own = zset_first(wait_key(name, pair_of(record))), line_of(record)
    if not first then return false end
    if first[2] == own then return is_entry_before(first_of(own), {score_of(record), record.id}) end
    return is_entry_before(first, {score_of(record), own})
  end

  -- The first throttle that keeps a job from being called.
  local function keeper(record)
    for _, said in ipairs(terms(record)) do
      if is_behind_others(said.name, record) or keeps(said.name, record) then return said.name end
    end
    return nil
  end

  -- A job that became ready, or waits before the throttle that keeps it, at its place in time.
  function throttles.kept_back(record, is_renumbered)
    if record.status ~= QUEUED then return record end
    if is_late(record) or is_renumbered then throttles.call_next() end -- what is free is first for those who wait
    local name = keeper(record)
    return name and changed(record, {status = WAITING, reason = name}) or record
  end

  -- A new job, whose numbers hold from now on; ready, or before the throttle that keeps it.
  function throttles.named(record)
    return throttles.kept_back(record, throttles.name(record, record.status == QUEUED))
  end

  -- The job starts: one token of each of its rates is gone.
  function throttles.take(record)
    for _, said in ipairs(terms(record)) do
      if is_rate(said) then
        local throttle = known_of(said.name) or said
        set_known(said.name, with_full(throttle, math.max(throttle.full_us, clock_us()) + throttle.interval_us))
        touch(said.name)
      end
    end
  end

  -- When somebody who waits may be called, though nothing happens until then; nil: never.
  local function next_look(name, throttle)
    local first
    for _, entry in ipairs(expected(name)) do first = math.min(first or entry[1], entry[1]) end
    if is_rate(throttle) and tokens_of(throttle) < throttle.bucket then
      local token_ms = math.floor((next_us_of(throttle) + 999) / 1000)
      first = math.min(first or token_ms, token_ms)
    end
    return first
  end

  -- When a throttle must be looked at again; what nobody needs is forgotten.
  local function rest(name)
    local throttle = known_of(name)
    if not throttle then return end
    local waits, called = false, false
    for _, pair in ipairs(pairs_of(name)) do
      waits = waits or zset_count(wait_key(name, pair)) > 0
      local is_called = zset_count(called_key(name, pair)) > 0
      called = called or is_called
      if not is_called then zset_drop(expects_key(name), pair) end
    end
    local at_ms = waits and next_look(name, throttle)
    zset_drop(TOKENS, name)
    if at_ms then
      zset_put(TOKENS, name, at_ms)
    elseif is_rate(throttle) and not waits and not called and throttle.full_us > clock_us() then
      zset_put(TOKENS, name, math.floor((throttle.full_us + 999) / 1000))
    elseif not waits and not called and zset_count(holders_key(name)) == 0 then
      known[name] = false
      behind[name] = false
    end
  end

  -- The head of a line; an entry that contradicts its record is mended.
  local function head_of(line)
    local entry = first_of(line)
    while entry do
      local record = sound(entry[2])
      local how, score = standing(record)
      if how == 'waits' and score == entry[1] and line_of(record) == line then return record end
      drop_from_line(line, entry[2])
      throttles.mend(entry[2])
      entry = first_of(line)
    end
    return nil
  end

  local function look_at(line, calling)
    local head = head_of(line)
    while head do
      local name = keeper(head)
      if name or calling.left <= 0 then
        if not name then
          name = terms(head)[1].name
          behind[name] = true
        end
        if wait_at(line, name, head) then calling.left = calling.left - 1 end
        return
      end
      calling.left = calling.left - 1
      local new = throttles.woken(head)
      put(head, new, 'wake')
      make_ready(new)
      calling.answers[#calling.answers + 1] = {new.id, new.status}
      head = head_of(line)
    end
    wait_nowhere(line)
  end

  -- The best line that waits at a throttle, where it need not any more.
  local function unkept(name)
    local best
    for _, pair in ipairs(pairs_of(name)) do
      local entry = zset_first(wait_key(name, pair))
      local head = entry and head_of(entry[2])
      if entry and not (head and keeps(name, head)) and (not best or is_entry_before(entry, best)) then best = entry end
    end
    return best and best[2]
  end

  local function let_go(name, calling)
    local line = unkept(name)
    while line do
      if calling.left <= 0 then
        behind[name] = true
        break
      end
      look_at(line, calling)
      line = unkept(name)
    end
    rest(name)
  end

  -- Bring what this step changed in order; answers whom it called, with their new status.
  function throttles.call_next(left)
    local calling = {left = left or 100, answers = {}}
    while #stirred > 0 or #touched > 0 do
      local lines = stirred
      stirred = {}
      table.sort(lines, before)
      for _, line in ipairs(lines) do look_at(line, calling) end
      local names = touched
      touched = {}
      table.sort(names, before)
      for _, name in ipairs(names) do let_go(name, calling) end
    end
    return calling.answers
  end

  -- Whether a claim came across a ready job that may not start now: it waits, and others are called.
  function throttles.send_back(record)
    local name = over(record)
    if not name then return false end
    put(record, throttles.limited(record, name), 'limit')
    throttles.call_next()
    return true
  end

  -- Look again at rates whose time has come, and at what was left behind.
  function throttles.touch_late(limit)
    need(BEHIND, 'set')
    local names = redis.call('SMEMBERS', BEHIND)
    table.sort(names, before)
    for i, name in ipairs(names) do
      behind[name] = i > limit
      if i <= limit then touch(name) end
    end
    for _, entry in ipairs(zset_lowest(TOKENS, clock_ms, limit)) do touch(entry[2]) end
  end

  -- After `touch_late`: whether anything is left to look at now.
  function throttles.is_behind()
    for _, is_left in pairs(behind) do if is_left then return true end end
    return zset_lowest(TOKENS, clock_ms, 1)[1] ~= nil
  end

  -- Make all follow the record of an id; answers what was wrong, nil where nothing was. Strays under throttles that the
  -- record does not name are found by the audit of those.
  function throttles.mend(id)
    local record = sound(id)
    local how, score = standing(record)
    if not record or not throttles.is_limited(record) then return nil end
    local function is_in(key, wanted) return zset_score(key, id) == wanted end
    local is_right = is_in(line_key(line_of(record)), how == 'waits' and score or nil)
    for _, said in ipairs(terms(record)) do
      local called = called_key(said.name, pair_of(record))
      is_right = is_right and is_in(called, how == 'called' and score or nil)
      local held = how == 'holds' and not is_rate(said) and score or nil
      is_right = is_right and is_in(holders_key(said.name), held)
    end
    if is_right then return nil end
    throttles.drop_all(record)
    if how then enter(record, how, score) end
    return 'stood in a wrong place among throttles'
  end

  -- Out of every place that these fields name.
  function throttles.drop_all(record)
    if not throttles.is_limited(record) then return end
    for _, how in ipairs({'waits', 'called', 'holds'}) do leave(record, how) end
  end

  -- The audit of one key: who stands there and should not, and lines that wait for nothing. Answers {id, what} …
  function throttles.audit(kind, rest_of_key, sample)
    local found = {}
    local function check(ids, wanted, drop)
      for _, id in ipairs(ids) do
        local record = sound(id)
        local how = standing(record)
        if not damaged[id] and not (how == wanted.how and wanted.is_named(record)) then
          drop(id)
          found[#found + 1] = {id, wanted.how .. ' ' .. wanted.name .. ', and should not'}
        end
      end
    end
    if kind == 'holders' then
      local name = rest_of_key
      local ids = redis.call('ZRANDMEMBER', holders_key(name), sample)
      check(ids, {how = 'holds', name = name, is_named = function(record) return terms(record)[name] end},
        function(id) zset_drop(holders_key(name), id) touch(name) end)
    elseif kind == 'called' then
      local name, pair = string.match(rest_of_key, '^([^\n]*)\n(.*)$')
      local ids = redis.call('ZRANDMEMBER', called_key(name, pair), sample)
      check(ids, {how = 'called', name = name,
        is_named = function(record) return terms(record)[name] and pair_of(record) == pair end},
        function(id) zset_drop(called_key(name, pair), id) note_pair(name, pair) touch(name) end)
    elseif kind == 'line' then
      local line = rest_of_key
      local name, head = at_of(line), first_of(line)
      local is_there = name and head and zset_score(wait_key(name, pair_of_line(line)), line) == head[1]
      if not is_there then
        found[1] = {line, 'waits for nothing'}
        stir(line)
      end
    end
    return found
  end

  function throttles.is_stirred() return #touched > 0 or #stirred > 0 end

  -- Behind the sorted sets, as an index loses what is empty.
  function throttles.write()
    for _, line in ipairs(at_order) do
      if at[line] ~= at_before[line] then
        if at[line] then redis.call('HSET', LINES, line, at[line]) else redis.call('HDEL', LINES, line) end
      end
    end
    for name, pairs_noted in pairs(new_pairs) do
      for pair in pairs(pairs_noted) do
        local is_used = redis.call('EXISTS', called_key(name, pair), wait_key(name, pair)) > 0
        redis.call(is_used and 'SADD' or 'SREM', P .. 'pairs:' .. name, pair)
      end
    end
    for _, name in ipairs(known_order) do
      local throttle, was, key = known[name], loaded[name], P .. 'throttle:' .. name
      if not throttle and was then
        redis.call('DEL', key)
      elseif throttle and throttle ~= was then
        if is_rate(throttle) then
          redis.call('HSET', key, 'interval_us', num(throttle.interval_us), 'bucket', num(throttle.bucket),
            'full_us', num(throttle.full_us))
        else
          redis.call('HSET', key, 'places', num(throttle.places))
        end
      end
    end
    for name, is_left in pairs(behind) do redis.call(is_left and 'SADD' or 'SREM', BEHIND, name) end
  end

  -- For a reply: what stands under a key; see codec.limit_state.
  function throttles.state(key)
    local limit, rate = known_of('limit ' .. key), known_of('rate ' .. key)
    local function waiting(name)
      local count = 0
      for _, pair in ipairs(pairs_of(name)) do
        for _, line in ipairs(redis.call('ZRANGE', wait_key(name, pair), 0, -1)) do
          count = count + redis.call('ZCARD', line_key(line))
        end
      end
      return count
    end
    local holders = holders_key('limit ' .. key)
    local ids, about_rate = redis.call('ZRANGE', holders, 0, 19), false
    if rate then
      local tokens = tokens_of(rate)
      local next_us = tokens < rate.bucket and next_us_of(rate) - clock_us() or 0
      about_rate = {num(rate.interval_us), rate.bucket, tokens, num(math.floor((next_us + 999) / 1000)),
        waiting('rate ' .. key)}
    end
    return {limit and limit.places or 0, redis.call('ZCARD', holders), ids, waiting('limit ' .. key), about_rate}
  end
  return throttles[wanted]
end})
