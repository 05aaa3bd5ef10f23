// Package migrations holds the database's schema as numbered SQL files, in the
// form goose runs them.
package migrations

import "embed"

// FS holds the migrations. They are never changed once released: a later
// change of the schema is a further file.
//
//go:embed *.sql
var FS embed.FS
