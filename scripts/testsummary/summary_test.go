package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSummary(t *testing.T) {
	for name, c := range map[string]struct {
		lines []string
		want  []string
		not   []string
		ok    bool
	}{
		"all pass": {
			lines: []string{`{"Action":"run","Package":"p","Test":"A"}`, `{"Action":"output","Package":"p","Test":"A","Output":"chatter\n"}`,
				`{"Action":"pass","Package":"p","Test":"A"}`, `{"Action":"output","Package":"p","Output":"ok  \tp\t0.1s\n"}`, `{"Action":"pass","Package":"p"}`},
			want: []string{"ok  \tp\t0.1s\n", "1 passed, 0 failed\n"}, not: []string{"chatter"}, ok: true,
		},
		"one fails": {
			lines: []string{`{"Action":"output","Package":"p","Test":"A","Output":"chatter\n"}`, `{"Action":"pass","Package":"p","Test":"A"}`,
				`{"Action":"output","Package":"p","Test":"B","Output":"the cause\n"}`, `{"Action":"fail","Package":"p","Test":"B"}`,
				`{"Action":"output","Package":"p","Output":"FAIL\tp\t0.1s\n"}`, `{"Action":"fail","Package":"p"}`},
			want: []string{"the cause\n", "FAIL\tp\t0.1s\n", "1 passed, 1 failed\n"}, not: []string{"chatter"},
		},
		"a build fails": {
			lines: []string{`{"ImportPath":"p","Action":"build-output","Output":"p.go:1: broken\n"}`, `{"ImportPath":"p","Action":"build-fail"}`,
				`{"Action":"output","Package":"p","Output":"FAIL\tp [build failed]\n"}`, `{"Action":"fail","Package":"p","FailedBuild":"p"}`},
			want: []string{"p.go:1: broken\n", "FAIL\tp [build failed]\n", "0 passed, 1 failed\n"},
		},
		"a test hangs": {
			lines: []string{`{"Action":"run","Package":"p","Test":"A"}`, `{"Action":"output","Package":"p","Test":"A","Output":"panic: test timed out\n"}`,
				`{"Action":"output","Package":"p","Output":"FAIL\tp\t600s\n"}`, `{"Action":"fail","Package":"p"}`},
			want: []string{"panic: test timed out\n", "0 passed, 1 failed\n"},
		},
		"a skipped test says why": {
			lines: []string{`{"Action":"output","Package":"p","Test":"A","Output":"needs git\n"}`, `{"Action":"skip","Package":"p","Test":"A"}`, `{"Action":"pass","Package":"p","Test":"B"}`},
			want:  []string{"needs git\n", "1 passed, 0 failed, 1 skipped\n"}, ok: true,
		},
		"nothing ran":    {lines: []string{`{"Action":"skip","Package":"p"}`}, want: []string{"0 passed, 0 failed\nno test ran\n"}},
		"a soak line":    {lines: []string{`{"Action":"output","Package":"p","Test":"A","Output":"    a_test.go:1: soak: A: 3 seeds\n"}`, `{"Action":"pass","Package":"p","Test":"A"}`}, want: []string{"soak: A: 3 seeds\n"}, not: []string{"a_test.go"}, ok: true},
		"no JSON":        {lines: []string{`go: downloading x`, `{"Action":"pass","Package":"p","Test":"A"}`}, want: []string{"go: downloading x\n"}, ok: true},
		"a cut last one": {lines: []string{`{"Action":"pass","Package":"p","Test":"A"}`, `{"Act`}, want: []string{`{"Act`}, ok: true},
	} {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			s := newSummary(&out)
			require.NoError(t, s.read(strings.NewReader(strings.Join(c.lines, "\n")+"\n")))
			require.Equal(t, c.ok, s.close())
			for _, want := range c.want {
				require.Contains(t, out.String(), want)
			}
			for _, not := range c.not {
				require.NotContains(t, out.String(), not)
			}
		})
	}
}
