-- +goose Up

-- What was answered to requests that carried an idempotency key, so that a
-- repeat is answered the same and does nothing twice. The answer to an operation
-- is written in the transaction that commits it.
CREATE TABLE answers (
  -- AUTOINCREMENT: the order in which they were kept, by which they are pruned.
  id        INTEGER PRIMARY KEY AUTOINCREMENT,
  key       TEXT NOT NULL UNIQUE,
  request   BLOB NOT NULL, -- fingerprint of the request
  -- No reference: the journal may forget an operation before its answer.
  operation INTEGER NOT NULL, -- 0: none
  content   BLOB NOT NULL,
  at        INTEGER NOT NULL -- seconds since 1970
) STRICT;

CREATE INDEX answers_at ON answers (at);

-- +goose Down

DROP TABLE answers;
