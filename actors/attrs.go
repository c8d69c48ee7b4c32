package actors

import (
	"strconv"

	"github.com/moldau-go/moldau/supervisor"
)

// What actors tell of themselves when the tree is looked at.

func number(name string, value int64) supervisor.Attr {
	return supervisor.Attr{Name: name, Value: strconv.FormatInt(value, 10)}
}

func word(name, value string) supervisor.Attr { return supervisor.Attr{Name: name, Value: value} }
