"""The scripts of the ledger with one rule left out: small edits of their text, each of which must fit exactly once."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path


@dataclass(frozen=True)
class Edit:
    """A piece of a file, and what takes its place."""

    file: str
    old: str
    new: str


@dataclass(frozen=True)
class Mutant:
    """One rule of docs/ledger.md (its number, or the section's word), what is left out of it, and how."""

    rule: str
    left_out: str
    edits: Sequence[Edit]


def written(mutant: Mutant, folder: Path) -> Path:
    """A copy of the scripts with the mutant's edits.

    Raises: ValueError where a piece is not found exactly once: the scripts have changed, and the mutant must follow.
    """
    with resources.as_file(resources.files("hysds.adapters.ledger") / "lua") as scripts:
        shutil.copytree(scripts, folder)
    for edit in mutant.edits:
        path = folder / edit.file
        text = path.read_text("utf-8")
        if text.count(edit.old) != 1:
            raise ValueError(
                f"{mutant.left_out}: {edit.old!r} stands {text.count(edit.old)} times in {edit.file}"
            )
        path.write_text(text.replace(edit.old, edit.new), "utf-8")
    return folder


_STEPS, _PLACES, _CLAIMS = "shared/steps.lua", "shared/places.lua", "shared/claims.lua"
_CLOCK, _WORKERS, _WRITES = "shared/clock.lua", "shared/workers.lua", "shared/writes.lua"
_RECORD = "shared/record.lua"
_KIN, _FOLLOW = "shared/kin.lua", "shared/follow.lua"
_ENTERING, _CANCELLING = "shared/entering.lua", "shared/cancelling.lua"
_THROTTLES = "shared/throttles.lua"
_OWNS = "return record.status == STARTED and record.fence == fence end"
_FORGETFUL = "if record.cancel == 1 then return ended(record, REVOKED, 'cancelled') end"


def _one(rule: str, left_out: str, file: str, old: str, new: str) -> Mutant:
    return Mutant(rule, left_out, (Edit(file, old, new),))


MUTANTS: Sequence[Mutant] = (
    _one(
        "1",
        "writes at once, before all is decided",
        _WRITES,
        "writes[#writes + 1] = {command, key, ...}",
        "redis.call(command, key, ...)",
    ),
    _one(
        "2",
        "revisions and fences are the wall clock's",
        _CLOCK,
        "return math.max(last + 1, now_us) end",
        "return now_us end",
    ),
    _one(
        "2",
        "a fence grows by one, a revision by the clock",
        _STEPS,
        "fence = hybrid(record.fence)",
        "fence = record.fence + 1",
    ),
    _one(
        "3",
        "the ledger's clock follows a jump ahead",
        _CLOCK,
        "math.min(now_ms - wall_ms, CLOCK_CAP_MS)",
        "now_ms - wall_ms",
    ),
    _one(
        "3",
        "the ledger's clock follows a jump back",
        _CLOCK,
        "math.max(moved_ms - debt_ms, 0)",
        "moved_ms",
    ),
    _one(
        "3",
        "a step back of the wall clock is owed nothing",
        _CLOCK,
        "math.min(math.max(debt_ms - moved_ms, 0), CLOCK_CAP_MS)",
        "0",
    ),
    _one(
        "4",
        "a commit, a renewal and a release need no fence",
        _STEPS,
        _OWNS,
        "return record.status == STARTED end",
    ),
    _one(
        "4",
        "a commit needs no fence",
        "commit.lua",
        "if not owns(record, commit.fence) then",
        "if record.status ~= STARTED then",
    ),
    _one(
        "4",
        "a renewal needs no fence",
        "renew.lua",
        "if not record or not owns(record, held.fence) then",
        "if not record or record.status ~= STARTED then",
    ),
    _one(
        "4",
        "a release needs no fence",
        "release.lua",
        "not owns(record, tonumber(ARGV[3]))",
        "record.status ~= STARTED",
    ),
    _one(
        "4",
        "the clock decides beside the fence",
        _STEPS,
        _OWNS,
        "return record.status == STARTED and record.fence == fence and record.lease_ms > clock_ms end",
    ),
    _one(
        "5",
        "a cancel is told and not recorded",
        "shared/cancelling.lua",
        "if record.cancel == 0 then put(record, stepped(record, {cancel = 1}), 'cancel') end",
        "",
    ),
    _one(
        "5",
        "a renewal does not repeat the cancel",
        "renew.lua",
        "return record.cancel == 1 and 'cancel' or 'ok'",
        "return 'ok'",
    ),
    _one(
        "5",
        "a release forgets the cancel",
        _STEPS,
        f"local function released(record, wake_ms)\n  {_FORGETFUL}",
        "local function released(record, wake_ms)",
    ),
    _one(
        "5",
        "a loss forgets the cancel",
        _STEPS,
        f"local function lost(record)\n  {_FORGETFUL}",
        "local function lost(record)",
    ),
    _one(
        "5",
        "a retry forgets the cancel",
        _STEPS,
        "if record.cancel == 1 and status ~= COMPLETED then status, reason = REVOKED, 'cancelled' end",
        "",
    ),
    _one(
        "5",
        "a revocation that nobody asked for is taken",
        "commit.lua",
        "if commit.status == REVOKED and record.cancel == 0 then return 'not-asked' end",
        "",
    ),
    _one(
        "6",
        "lost names a job, no lease",
        _CLAIMS,
        "tell(record.owner, 'lost ' .. record.id .. ' ' .. num(record.fence))",
        "tell(record.owner, 'lost ' .. record.id)",
    ),
    _one(
        "7",
        "the last committed fence is not kept",
        "commit.lua",
        "return record.committed == commit.fence and 'again' or 'lost' end",
        "return 'lost' end",
    ),
    _one(
        "8",
        "a nonce is never replayed",
        _CLAIMS,
        "if record.nonce == bid.nonce then",
        "if false then",
    ),
    Mutant(
        "8",
        "a nonce is replayed after its lease",
        (
            Edit(
                _PLACES,
                "if old.owner ~= '' and old.owner ~= new.owner then hold(old.owner, old.id, nil) end",
                "",
            ),
            Edit(
                _STEPS,
                "{owner = '', nonce = '', lease_ms = 0, lease_for_ms = 0,",
                "{owner = '', lease_ms = 0, lease_for_ms = 0,",
            ),
            Edit(
                _WORKERS,
                "if record and record.status == STARTED and record.owner == name then",
                "if record then",
            ),
        ),
    ),
    _one(
        "8",
        "a nonce that was given up keeps its lease",
        "renew.lua",
        "if given_up[record.nonce] then",
        "if false then",
    ),
    _one(
        "9",
        "a claim leaves the due entry",
        _PLACES,
        "if due then zset_put(DUE, record.id, due) else zset_drop(DUE, record.id) end\n  if lease",
        "if due then zset_put(DUE, record.id, due) end\n  if lease",
    ),
    _one(
        "9",
        "a retry that waits gets no due entry",
        _PLACES,
        "if due then zset_put(DUE, record.id, due) else zset_drop(DUE, record.id) end\n  if lease",
        "zset_drop(DUE, record.id)\n  if lease",
    ),
    _one(
        "9",
        "a ttl does not end at the claim",
        _STEPS,
        "lease_for_ms = bid.lease_ms, started_ms = now_ms, ttl_ms = 0, wake_ms = 0,",
        "lease_for_ms = bid.lease_ms, started_ms = now_ms, wake_ms = 0,",
    ),
    _one(
        "9",
        "a claim leaves the ready entry",
        _PLACES,
        "if score and not stays then zset_drop(list_of(old.queue, old.shape), old.id) end",
        "",
    ),
    _one(
        "10",
        "no job is anybody's duplicate",
        _STEPS,
        "if not key or key.owner == item.retry_of or is_over(key) then return nil end",
        "if true then return nil end",
    ),
    _one(
        "10",
        "a key is deleted whoever it names",
        _STEPS,
        "if not key or key.owner ~= record.id then return end",
        "if not key then return end",
    ),
    _one(
        "10",
        "a failure keeps its key",
        _STEPS,
        "if record.status ~= COMPLETED or record.window_ms == 0 then\n    set_key(record.dedup, false)",
        "if record.status ~= COMPLETED or record.window_ms == 0 then\n"
        "    set_key(record.dedup, {owner = 'nobody', until_ms = FOREVER})",
    ),
    _one(
        "10",
        "a completed job lets go of its key",
        _STEPS,
        "if record.status ~= COMPLETED or record.window_ms == 0 then",
        "if true then",
    ),
    _one(
        "10",
        "a window never ends",
        _STEPS,
        "return 0 < key.until_ms and key.until_ms <= now_ms\nend",
        "return false\nend",
    ),
    _one(
        "10",
        "a forced twin takes the key",
        _STEPS,
        "if not ENDED[key_status(key)] then return false end\n"
        "  return key.owner == item.retry_of or not (item.may_repeat or item.retry_of ~= '')",
        "return true",
    ),
    _one(
        "10",
        "a repeated submission is a new job",
        "accept.lua",
        "local function accept(item, spec)\n  local known = load(item.id)",
        "local function accept(item, spec)\n  local known = nil",
    ),
    _one("11", "a commit needs memory", "commit.lua", "#!lua flags=allow-oom", "#!lua"),
    _one("11", "a cancel needs memory", "cancel.lua", "#!lua flags=allow-oom", "#!lua"),
    _one("11", "an expiry needs memory", "expire.lua", "#!lua flags=allow-oom", "#!lua"),
    _one(
        "12",
        "a worker is not noted when it is named",
        _WORKERS,
        "if not known or known < until_ms then zset_put(WORKERS, name, until_ms) end",
        "",
    ),
    _one(
        "12",
        "a silent worker is never forgotten",
        "expire.lua",
        "if #held_by(silent[i][2]) == 0 then drop_worker(silent[i][2]) end",
        "",
    ),
    _one(
        "13",
        "a change is not told",
        _STEPS,
        "if new.revision ~= old.revision then publish(new, step) end",
        "",
    ),
    _one(
        "13",
        "an event is told without a new revision",
        _STEPS,
        "changes.revision = hybrid(record.revision)",
        "changes.revision = record.revision",
    ),
    _one(
        "1",
        "a record that can't be read stops a whole step",
        _RECORD,
        "local is_read, record = pcall(load, id)",
        "local is_read, record = true, load(id)",
    ),
    _one(
        "14",
        "the audit mends nothing",
        "audit.lua",
        "belongs at ' .. words(record, score, due, lease))\n  settle(id)",
        "belongs at ' .. words(record, score, due, lease))",
    ),
    _one(
        "15",
        "a drained worker claims",
        _CLAIMS,
        "if drain then return {false, {}, false, false, drain} end",
        "",
    ),
    Mutant(
        "15",
        "a drain forgets what a bid had won",
        (
            Edit(
                _CLAIMS,
                "  local drain = drain_of(worker)\n",
                "  local drain = drain_of(worker)\n  if drain then return {false, {}, false, false, drain} end\n",
            ),
        ),
    ),
    _one(
        "Transitions",
        "a lease that ran out is left alone",
        "expire.lua",
        "if record then answers[#answers + 1] = {record.id, lose(record)} end",
        "",
    ),
    _one(
        "Transitions",
        "a loss costs nothing",
        _STEPS,
        "{status = QUEUED, lost_left = left, shape = shape}",
        "{status = QUEUED, shape = shape}",
    ),
    _one(
        "18",
        "a last attempt runs beside others",
        _CLAIMS,
        "if not next(held_of(worker.name)) then return queues, fit end",
        "if true then return queues, fit end",
    ),
    Mutant(
        "19",
        "a purge takes what has not ended",
        (
            Edit("purge.lua", "if not ENDED[record.status] then return {'live', record.status, '0'} end", ""),
            Edit(
                "purge.lua", "if record.confirmed == 0 then return {'unwritten', record.status, '0'} end", ""
            ),
        ),
    ),
    _one(
        "19",
        "a purge does not wait for the last document",
        "purge.lua",
        "if record.confirmed == 0 then return {'unwritten', record.status, '0'} end",
        "",
    ),
    _one(
        "19",
        "a purge frees its key whoever it names",
        "purge.lua",
        "if not key or key.owner ~= id then return end",
        "if not key then return end",
    ),
    _one(
        "20",
        "what no longer runs or waits is still counted",
        "shared/queues.lua",
        "if queue then tallies.count(queue, what, -1) end",
        "if queue then tallies.touch(queue) end",
    ),
    _one(
        "18",
        "a last attempt is not marked",
        _STEPS,
        "local shape = left == 0 and alone(record.shape) or record.shape",
        "local shape = record.shape",
    ),
    _one(
        "Transitions",
        "what waits is never woken",
        "wake.lua",
        "if record and record.status == WAITING and not is_overdue(record) then",
        "if false then",
    ),
    _one(
        "Transitions",
        "an ended attempt is not written down",
        _CLAIMS,
        "if how ~= '' then",
        "if false then",
    ),
    _one(
        "Transitions",
        "any revision may be confirmed",
        "confirm.lua",
        "and record.revision == tonumber(ARGV[i + 1])",
        "",
    ),
    _one(
        "Transitions",
        "an ended job is revoked",
        "shared/cancelling.lua",
        "if ENDED[record.status] then return 'ended' end",
        "",
    ),
    _one(
        "23",
        "a group's sums do not follow its members",
        _KIN,
        "if sums then kin.count(new.parent, sums, kin.CLASSES[old.status], kin.CLASSES[new.status], 1) end",
        "",
    ),
    _one(
        "23",
        "a group is looked after by nobody",
        _FOLLOW,
        "  if sums.queued + sums.running == 0 then\n    put(",
        "  if false then\n    put(",
    ),
    _one(
        "23",
        "a group waits for members that can't enter",
        "accept.lua",
        "    stands_already(item)\n",
        "",
    ),
    _one(
        "24",
        "a member comes after its own group",
        _ENTERING,
        "local is_own = is_within(item, named)",
        "local is_own = false",
    ),
    _one(
        "23",
        "half a group is sealed",
        "seal.lua",
        "if staged ~= kin.sums_of(group.id).staged then return 'incomplete' end",
        "",
    ),
    _one(
        "23",
        "a repeated stage is staged once more",
        "stage.lua",
        "math.max(first + count - have, 0)",
        "count",
    ),
    _one(
        "23",
        "a sealed group is not let in",
        "seal.lua",
        "kin.let_in(new)",
        "",
    ),
    Mutant(
        "23",
        "a group that nobody seals stays",
        (
            Edit(_ENTERING, "if item.staged > 0 then kin.chore('abort'", "if false then kin.chore('abort'"),
            Edit("stage.lua", "kin.chore('abort', id, clock_ms + kin.STAGING_MS)", ""),
        ),
    ),
    _one(
        "23",
        "a group's cancel does not reach its members",
        _CANCELLING,
        "answers[i] = {left[i][2], kin.cancel(left[i][2])}",
        "answers[i] = {left[i][2], WAITING}",
    ),
    _one(
        "24",
        "nobody is freed",
        _KIN,
        "if kin.is_waited_for(new.id) then kin.ended[#kin.ended + 1] = new.id end",
        "",
    ),
    _one(
        "24",
        "a failed dependency frees",
        _FOLLOW,
        "if record.after_finished == 0 and status ~= COMPLETED then",
        "if false then",
    ),
    _one(
        "24",
        "the first of several dependencies frees",
        _FOLLOW,
        "elseif record.after_left > 1 then",
        "elseif false then",
    ),
    _one(
        "24",
        "a dependency that failed before counts as met",
        _ENTERING,
        "failed = failed or named",
        "failed = nil",
    ),
    _one(
        "24",
        "a duplicate counts as a failed dependency",
        _ENTERING,
        "record = sound(record.dedup_job)",
        "is_met = true",
    ),
    _one(
        "24",
        "an unknown dependency is waited for",
        _ENTERING,
        "if not record and not is_met and item.parent == '' then return live, named end",
        "if not record and not is_met then live[#live + 1] = named end",
    ),
    _one(
        "21",
        "a claim looks at no limit",
        _CLAIMS,
        "return record and throttles.is_limited(record) and throttles.send_back(record) or false",
        "return false",
    ),
    Mutant(
        "21",
        "only the first key of a job counts",
        (
            Edit(
                _THROTTLES,
                "      if free(said) < 1 then return said.name end\n",
                "      return free(said) < 1 and said.name or nil\n",
            ),
            Edit(
                _THROTTLES,
                "if is_behind_others(said.name, record) or keeps(said.name, record) then return said.name end",
                "do return keeps(said.name, record) and said.name or nil end",
            ),
        ),
    ),
    _one(
        "21",
        "a place is not given back",
        _THROTTLES,
        "        zset_drop(holders_key(said.name), record.id)\n        touch(said.name)\n      end\n",
        "        touch(said.name)\n      end\n",
    ),
    _one(
        "21",
        "a free place calls nobody",
        _THROTTLES,
        "for _, name in ipairs(names) do let_go(name, calling) end",
        "for _, name in ipairs(names) do rest(name) end",
    ),
    _one(
        "21",
        "a called job that goes passes no call on",
        _THROTTLES,
        "        zset_drop(called_key(said.name, pair_of(record)), record.id)\n",
        "",
    ),
    _one(
        "21",
        "a called job is expected for ever",
        _THROTTLES,
        "if entry[1] > clock_ms then found[#found + 1] = entry end",
        "found[#found + 1] = entry",
    ),
    _one(
        "21",
        "a line waits for ever where it began to",
        _THROTTLES,
        "not (head and keeps(name, head))",
        "not (head and keeper(head))",
    ),
    _one(
        "21",
        "a limit that nobody needs is not forgotten",
        _THROTTLES,
        "      known[name] = false\n      behind[name] = false\n",
        "",
    ),
    _one(
        "22",
        "a start takes no token",
        _THROTTLES,
        "math.max(throttle.full_us, clock_us()) + throttle.interval_us",
        "throttle.full_us",
    ),
    _one(
        "22",
        "nobody looks when the next token comes",
        _THROTTLES,
        "first = math.min(first or token_ms, token_ms)",
        "",
    ),
    _one(
        "25",
        "a late rollover goes back",
        "roll.lua",
        "math.max(current, tonumber(ARGV[2]))",
        "math.max(1, tonumber(ARGV[2]))",
    ),
    _one(
        "25",
        "the current generation is given up",
        "roll.lua",
        "math.min(math.max(oldest, tonumber(ARGV[3])), current)",
        "math.max(oldest, tonumber(ARGV[3]))",
    ),
    _one(
        "25",
        "a job is born in the first generation",
        _STEPS,
        "generation = generation or (generations())",
        "generation = 1",
    ),
)
