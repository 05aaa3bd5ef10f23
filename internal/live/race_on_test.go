//go:build race

package live_test

import "time"

// stormPatience is a second, with room for the race detector and for what else
// runs.
const stormPatience = 5 * time.Second
