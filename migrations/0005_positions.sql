-- +goose Up

-- Where the viewers of the page see what is drawn. It is no part of the
-- topology: object is what the page calls it, and may be there no longer.
CREATE TABLE positions (
  id     INTEGER PRIMARY KEY, -- the order in which they were placed, by which they are forgotten
  object TEXT NOT NULL UNIQUE,
  x      REAL NOT NULL,
  y      REAL NOT NULL,
  pinned INTEGER NOT NULL CHECK (pinned IN (0, 1))
) STRICT;

-- +goose Down

DROP TABLE positions;
