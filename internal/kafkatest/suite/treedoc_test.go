package suite

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"

	"github.com/moldau-go/moldau"
	"github.com/moldau-go/moldau/actors/protocol"
	"github.com/moldau-go/moldau/internal/kafkatest"
	"github.com/moldau-go/moldau/supervisor"
)

// The pictures of the tree in the documentation are those of a tree that runs:
// the same actors at the same places in the same order, with the strategies and
// restart types that are written beside them.
func TestTreeIsAsDocumented(t *testing.T) {
	live := wholeTree(t)
	for _, page := range []string{"README.md", "docs/tree.md"} {
		t.Run(page, func(t *testing.T) {
			require.Empty(t, compareTrees(readPicture(t, page), live), "%s shows a tree that is not there", page)
		})
	}
}

// A picture that is wrong is found out: the test above can fail.
func TestTreePictureThatIsWrong(t *testing.T) {
	live := &supervisor.Node{ID: "root", Type: supervisor.Supervisor, Strategy: supervisor.RestForOne, Children: []*supervisor.Node{
		{ID: "worker:1"}, {ID: "worker:2"}, {ID: "other", Restart: supervisor.Transient},
	}}
	for name, tt := range map[string]struct{ picture, problem string }{
		"right":          {"root  rest_for_one\n├─ worker:<n>  permanent\n└─ other  transient", ""},
		"silent":         {"root\n├─ worker:<n>\n└─ other    what it is for", ""},
		"one missing":    {"root\n└─ worker:<n>", "root/other is in the tree and not in the picture"},
		"one too many":   {"root\n├─ worker:<n>\n├─ other\n└─ third", "root/third is in the picture and not in the tree"},
		"wrong order":    {"root\n├─ other\n└─ worker:<n>", "root: the picture has other, worker:<n>, the tree worker:<n>, other"},
		"wrong strategy": {"root  one_for_one\n├─ worker:<n>\n└─ other", "root is rest_for_one, the picture says one_for_one"},
		"wrong restart":  {"root\n├─ worker:<n>  permanent\n└─ other  permanent", "root/other is transient, the picture says permanent"},
		"another root":   {"stem\n├─ worker:<n>\n└─ other", "the tree is root, the picture stem"},
	} {
		t.Run(name, func(t *testing.T) {
			picture, err := parsePicture(tt.picture)
			require.NoError(t, err)
			require.Equal(t, tt.problem, strings.Join(compareTrees(picture, live), "; "))
		})
	}
}

// wholeTree is the tree of a client that does everything a client can do.
func wholeTree(t *testing.T) *supervisor.Node {
	t.Helper()
	ctx := bounded(t, patience)
	fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Nodes: 3, Topics: map[string]int32{"orders": 3, "audit": 1}})
	client, _ := start(t, moldau.Config{Name: "shop", Brokers: fake.Addrs()[0]})
	for _, topic := range []string{"orders", "audit"} {
		_, err := client.Topic(topic).By(moldau.On(0)).ProduceSync(ctx, moldau.Record{Value: []byte("one")})
		require.NoError(t, err)
	}

	handled := make(chan struct{}, 1)
	_, err := client.SubscribeTopic(moldau.TopicSubscriber{Name: "billing", Topic: "orders", Begin: moldau.Earliest, NewWorker: func(moldau.Assignment) (moldau.Worker, error) {
		return moldau.WorkerFunc(func(context.Context, *moldau.MessageSet) error { handled <- struct{}{}; return nil }), nil
	}})
	require.NoError(t, err)
	receive(t, ctx, handled, "a message set for the worker")

	read := make(chan struct{}, 1)
	reader := client.System().Root.Spawn(supervisor.Props(client.System(), func() actor.Actor {
		return actor.ReceiveFunc(func(ctx actor.Context) {
			switch ctx.Message().(type) {
			case *actor.Started:
				ctx.Send(client.PID(), &protocol.Subscribe{Subscriber: ctx.Self(), Topic: "audit", Partition: 0, Begin: moldau.Earliest})
			case *protocol.MessageSet:
				read <- struct{}{}
			}
		})
	}))
	t.Cleanup(func() { _ = client.System().Root.StopFuture(reader).Wait() })
	receive(t, ctx, read, "a message set for the actor")

	tree, err := client.Tree(ctx)
	require.NoError(t, err)
	return tree
}

// drawn is an actor in a picture. Its id may have places in angle brackets, as
// in broker:<node>; the words two spaces behind it are its strategy and its
// restart type. What follows after more spaces is for readers.
type drawn struct {
	id       string
	words    []string
	children []*drawn
}

// readPicture takes the picture of a page: the block behind a mark.
func readPicture(t *testing.T, page string) *drawn {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", filepath.FromSlash(page)))
	require.NoError(t, err)
	_, rest, marked := strings.Cut(string(text), "<!-- tree -->\n```text\n")
	require.True(t, marked, "%s has no picture behind the mark", page)
	block, _, closed := strings.Cut(rest, "\n```")
	require.True(t, closed)
	picture, err := parsePicture(block)
	require.NoError(t, err, page)
	return picture
}

var line = regexp.MustCompile(`^((?:[│ ] {2}|[├└]─ )*)([^ ].*)$`)

func parsePicture(block string) (*drawn, error) {
	var path []*drawn
	for text := range strings.SplitSeq(block, "\n") {
		m := line.FindStringSubmatch(text)
		if m == nil {
			return nil, fmt.Errorf("%q is no line of a tree", text)
		}
		facts, _, _ := strings.Cut(m[2], "   ")
		id, said, _ := strings.Cut(facts, "  ")
		node, depth := &drawn{id: id, words: strings.Fields(said)}, len([]rune(m[1]))/3
		switch {
		case depth > len(path) || depth == 0 && path != nil:
			return nil, fmt.Errorf("%q hangs in the air", text)
		case depth > 0:
			path[depth-1].children = append(path[depth-1].children, node)
		}
		path = append(path[:depth], node)
	}
	return path[0], nil
}

// compareTrees says in what a picture and a tree differ.
func compareTrees(picture *drawn, live *supervisor.Node) []string {
	if !picture.stands(live.ID) {
		return []string{fmt.Sprintf("the tree is %s, the picture %s", live.ID, picture.id)}
	}
	return picture.compare(live, picture.id)
}

func (d *drawn) compare(live *supervisor.Node, path string) []string {
	problems := d.compareWords(live, path)
	var order []string // the picture's ids as the tree has them
	met := map[*drawn]bool{}
	for _, child := range live.Children {
		of := d.child(child.ID)
		if of == nil {
			problems = append(problems, fmt.Sprintf("%s/%s is in the tree and not in the picture", path, child.ID))
			continue
		}
		if !met[of] {
			met[of] = true
			order = append(order, of.id)
		}
		problems = append(problems, of.compare(child, path+"/"+of.id)...)
	}
	var shown []string
	for _, child := range d.children {
		if !met[child] {
			problems = append(problems, fmt.Sprintf("%s/%s is in the picture and not in the tree", path, child.id))
			continue
		}
		shown = append(shown, child.id)
	}
	if !slices.Equal(shown, order) {
		problems = append(problems, fmt.Sprintf("%s: the picture has %s, the tree %s", path, strings.Join(shown, ", "), strings.Join(order, ", ")))
	}
	return problems
}

func (d *drawn) compareWords(live *supervisor.Node, path string) (problems []string) {
	for _, word := range d.words {
		is := live.Restart.String()
		if strings.Contains(word, "_for_") {
			is = live.Strategy.String()
		}
		if is != word {
			problems = append(problems, fmt.Sprintf("%s is %s, the picture says %s", path, is, word))
		}
	}
	return problems
}

func (d *drawn) child(id string) *drawn {
	for _, child := range d.children {
		if child.stands(id) {
			return child
		}
	}
	return nil
}

var place = regexp.MustCompile(`<[^>]*>`)

// stands says whether the picture's id is one for an actor's.
func (d *drawn) stands(id string) bool {
	literal := place.Split(d.id, -1)
	for i := range literal {
		literal[i] = regexp.QuoteMeta(literal[i])
	}
	return regexp.MustCompile("^" + strings.Join(literal, "[^:/]+") + "$").MatchString(id)
}
