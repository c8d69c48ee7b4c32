//go:build !amd64 && !arm64

package handle

// prefetch is nothing on this processor.
func prefetch(*byte) {}
