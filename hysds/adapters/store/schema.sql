-- The store's one file. Who changes this raises SCHEMA in sqlite_file.py and writes the step from the version before.
-- Times and durations are ms, 0 where there is none; texts are '' where there is none.

CREATE TABLE IF NOT EXISTS documents (
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
    name TEXT NOT NULL,
    priority INTEGER NOT NULL,
    accepted INTEGER NOT NULL,
    started INTEGER NOT NULL,
    ended INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    duration INTEGER NOT NULL,
    words TEXT NOT NULL,
    body TEXT NOT NULL
);

CREATE INDEX IF NOT EXISTS by_accepted ON documents (accepted, id);
CREATE INDEX IF NOT EXISTS by_updated ON documents (updated, id);
CREATE INDEX IF NOT EXISTS by_status ON documents (status, accepted, id);
CREATE INDEX IF NOT EXISTS by_type ON documents (type, accepted, id);
CREATE INDEX IF NOT EXISTS by_queue ON documents (queue, accepted, id);
-- Most jobs lack these: a query for one names the same condition, so that its index is used.
CREATE INDEX IF NOT EXISTS by_ended ON documents (ended, id) WHERE ended > 0;
CREATE INDEX IF NOT EXISTS by_tag ON documents (tag, accepted, id) WHERE tag <> '';
CREATE INDEX IF NOT EXISTS by_user ON documents (user, accepted, id) WHERE user <> '';
CREATE INDEX IF NOT EXISTS by_worker ON documents (worker, accepted, id) WHERE worker <> '';
CREATE INDEX IF NOT EXISTS by_failure_class ON documents (failure_class, accepted, id) WHERE failure_class <> '';

-- The words come from core.words, joined by spaces. This tokenizer splits at ASCII characters that are neither letter
-- nor digit, and nowhere else, so it finds exactly those words again.
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
