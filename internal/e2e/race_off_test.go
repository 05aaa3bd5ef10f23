//go:build !race

package e2e

// raceDetector tells whether the program is built as this test is.
const raceDetector = false
