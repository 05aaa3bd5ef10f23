-- +goose Up

-- Whether a link generates an IPv6 address, where that was said of the link
-- itself. NULL: what holds for its namespace, and never for a bridge port.
ALTER TABLE links ADD COLUMN ipv6 INTEGER CHECK (ipv6 IN (0, 1));

-- +goose Down

ALTER TABLE links DROP COLUMN ipv6;
