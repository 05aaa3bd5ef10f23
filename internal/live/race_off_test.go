//go:build !race

package live_test

import "time"

// stormPatience is how long after a storm what is shown may be wrong.
const stormPatience = time.Second
