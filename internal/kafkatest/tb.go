package kafkatest

// TB is the part of testing.TB that this package uses, so that commands can import the package without the testing
// package. *testing.T, *testing.B and *testing.F implement it.
type TB interface {
	Helper()
	Name() string
	Cleanup(func())
	Logf(format string, args ...any)
	Fatalf(format string, args ...any)
	Failed() bool
}
