// Command testsummary reads what go test -json writes and prints what a reader
// wants: the ok and FAIL lines of the packages, the output of what failed, the
// lines of soak runs, and at the end "N passed, N failed". It fails when a test, a
// package or a build failed, or when nothing ran at all.
//
//	go test -json ./... | go run ./scripts/testsummary
package main

import (
	"fmt"
	"os"
)

func main() {
	s := newSummary(os.Stdout)
	if err := s.read(os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, "testsummary:", err)
		os.Exit(1)
	}
	if !s.close() {
		os.Exit(1)
	}
}
