package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/moldau-go/moldau/supervisor"
)

// printTree draws a supervision tree: what each actor is, how it does, and
// what it tells of itself.
func printTree(w io.Writer, node *supervisor.Node) {
	fmt.Fprintln(w, describe(node))
	printChildren(w, node, "")
}

func printChildren(w io.Writer, node *supervisor.Node, indent string) {
	for i, child := range node.Children {
		branch, next := "├─ ", "│  "
		if i == len(node.Children)-1 {
			branch, next = "└─ ", "   "
		}
		fmt.Fprintln(w, indent+branch+describe(child))
		printChildren(w, child, indent+next)
	}
}

func describe(n *supervisor.Node) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s", n.ID, n.State)
	if n.Type == supervisor.Supervisor {
		fmt.Fprintf(&b, " %s", n.Strategy)
	}
	fmt.Fprintf(&b, " restarts=%d mailbox=%d", n.Restarts, n.Mailbox)
	if n.Busy {
		b.WriteString(" busy")
	}
	if n.LastFailure != nil {
		fmt.Fprintf(&b, " last-failure=%q", n.LastFailure)
	}
	for _, a := range n.Attrs {
		fmt.Fprintf(&b, " %s=%s", a.Name, a.Value)
	}
	return b.String()
}
