-- The store's one file. Who changes this raises SCHEMA in sqlite_file.py and writes the step from the version before.
-- Times and durations are ms, 0 where there is none; texts are '' where there is none.

-- What is searched and sorted by, in short rows: a question without an index of its own reads them all.
CREATE TABLE IF NOT EXISTS jobs (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    revision INTEGER NOT NULL,
    status TEXT NOT NULL,
    type TEXT NOT NULL,
    queue TEXT NOT NULL,
    tag TEXT NOT NULL,
    user TEXT NOT NULL,
    worker TEXT NOT NULL,
    failure_class TEXT NOT NULL,
    parent TEXT NOT NULL DEFAULT '', -- new in schema 3
    name TEXT NOT NULL,
    priority INTEGER NOT NULL,
    accepted INTEGER NOT NULL,
    started INTEGER NOT NULL,
    ended INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    duration INTEGER NOT NULL
);

-- What is shown, and the words that it is found by.
CREATE TABLE IF NOT EXISTS documents (
    seq INTEGER PRIMARY KEY,
    words TEXT NOT NULL,
    body TEXT NOT NULL
);

CREATE INDEX IF NOT EXISTS by_accepted ON jobs (accepted, id);
CREATE INDEX IF NOT EXISTS by_updated ON jobs (updated, id);
CREATE INDEX IF NOT EXISTS by_status ON jobs (status, accepted, id);
CREATE INDEX IF NOT EXISTS by_type ON jobs (type, accepted, id);
CREATE INDEX IF NOT EXISTS by_queue ON jobs (queue, accepted, id);
CREATE INDEX IF NOT EXISTS by_ended ON jobs (ended, id);
-- Most jobs lack these: a query for one names the same condition, so that its index is used.
CREATE INDEX IF NOT EXISTS by_tag ON jobs (tag, accepted, id) WHERE tag <> '';
CREATE INDEX IF NOT EXISTS by_user ON jobs (user, accepted, id) WHERE user <> '';
CREATE INDEX IF NOT EXISTS by_worker ON jobs (worker, accepted, id) WHERE worker <> '';
CREATE INDEX IF NOT EXISTS by_failure_class ON jobs (failure_class, accepted, id) WHERE failure_class <> '';
CREATE INDEX IF NOT EXISTS by_parent ON jobs (parent, accepted, id) WHERE parent <> '';

-- The words come from core.words, joined by spaces. This tokenizer splits at ASCII characters that are neither letter
-- nor digit, and nowhere else, so it finds exactly those words again. Behind them stand the tokens of sqlite_leaves.py
-- (since schema 4).
CREATE VIRTUAL TABLE IF NOT EXISTS full_text USING fts5 (
    words, content = 'documents', content_rowid = 'seq', detail = none, columnsize = 0, tokenize = 'ascii'
);

CREATE TABLE IF NOT EXISTS dead_letters (
    id TEXT PRIMARY KEY,
    revision INTEGER NOT NULL,
    reason TEXT NOT NULL,
    at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS letters_by_time ON dead_letters (at DESC, id);

-- Up to which revision a deleted job is not written again, and since when (wall ms). New in schema 2.
CREATE TABLE IF NOT EXISTS fences (
    id TEXT PRIMARY KEY,
    revision INTEGER NOT NULL,
    at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS fences_by_time ON fences (at);

-- Workers and events: one row a resource and id, the latest. `at` is wall ms. New in schema 5.
CREATE TABLE IF NOT EXISTS happenings (
    seq INTEGER PRIMARY KEY,
    resource TEXT NOT NULL,
    id TEXT NOT NULL,
    at INTEGER NOT NULL,
    type TEXT NOT NULL,
    hostname TEXT NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (resource, id)
);

CREATE INDEX IF NOT EXISTS happenings_by_time ON happenings (resource, at, id);
CREATE INDEX IF NOT EXISTS happenings_by_type ON happenings (resource, type, at, id);
CREATE INDEX IF NOT EXISTS happenings_by_host ON happenings (resource, hostname, at, id);
