-- +goose Up

-- What undoing needs. Small columns first: what follows a large one is read
-- through all its pages.
ALTER TABLE operations ADD COLUMN undoes INTEGER;    -- the operation this one undid
ALTER TABLE operations ADD COLUMN undone_by INTEGER; -- the one that undid this one
-- The intended topology changed and the kernel, on purpose, did not.
ALTER TABLE operations ADD COLUMN intent_only INTEGER NOT NULL DEFAULT 0 CHECK (intent_only IN (0, 1));
-- What the operation did to the intended topology, as topology.Delta writes it;
-- NULL: nothing, or nobody kept it. Neither of the numbers above is a reference:
-- old operations go, one by one.
ALTER TABLE operations ADD COLUMN delta TEXT;

-- +goose Down

ALTER TABLE operations DROP COLUMN delta;
ALTER TABLE operations DROP COLUMN intent_only;
ALTER TABLE operations DROP COLUMN undone_by;
ALTER TABLE operations DROP COLUMN undoes;
