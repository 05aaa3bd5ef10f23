package live

import (
	"bytes"
	"fmt"

	"github.com/klauspost/compress/gzip"
)

// pack packs a text as gzip does at its quickest: of a Snapshot that is a fifth
// more than at its best, in a tenth of the time.
func pack(text []byte) ([]byte, error) {
	b := bytes.NewBuffer(make([]byte, 0, len(text)/8))
	w, err := gzip.NewWriterLevel(b, gzip.BestSpeed)
	if err == nil {
		_, err = w.Write(text)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("pack the topology: %w", err)
	}
	return b.Bytes(), nil
}
