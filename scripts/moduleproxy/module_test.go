package main

import (
	"archive/zip"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// checkout writes a repository with two nested modules, one inside the other, and
// with files that belong into no zip.
func checkout(t *testing.T) string {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("needs git")
	}
	root := t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module example.org/Top\n", "top.go": "package top\n", "inner/in.go": "package inner\n",
		"cmd/tool/go.mod": "module example.org/Top/cmd/tool\n", "cmd/tool/main.go": "package main\n",
		"cmd/tool/deep/go.mod": "module example.org/Top/cmd/tool/deep\n", "cmd/tool/deep/deep.go": "package deep\n",
		"cmd/toolbox/box.go": "package toolbox\n", "vendor/x/x.go": "package x\n", "ignored.txt": "x", ".gitignore": "ignored.txt\n",
	} {
		full := filepath.Join(root, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(full), 0o755))
		require.NoError(t, os.WriteFile(full, []byte(text), 0o644))
	}
	require.NoError(t, exec.Command("git", "-C", root, "init", "-q").Run())
	return root
}

func TestZipLayout(t *testing.T) {
	out := t.TempDir()
	require.NoError(t, run(checkout(t), out, "v0.1.0"))
	for file, want := range map[string][]string{
		"example.org/!top/@v/v0.1.0.zip": {"example.org/Top@v0.1.0/.gitignore", "example.org/Top@v0.1.0/cmd/toolbox/box.go",
			"example.org/Top@v0.1.0/go.mod", "example.org/Top@v0.1.0/inner/in.go", "example.org/Top@v0.1.0/top.go"},
		"example.org/!top/cmd/tool/@v/v0.1.0.zip":      {"example.org/Top/cmd/tool@v0.1.0/go.mod", "example.org/Top/cmd/tool@v0.1.0/main.go"},
		"example.org/!top/cmd/tool/deep/@v/v0.1.0.zip": {"example.org/Top/cmd/tool/deep@v0.1.0/deep.go", "example.org/Top/cmd/tool/deep@v0.1.0/go.mod"},
	} {
		archive, err := zip.OpenReader(filepath.Join(out, filepath.FromSlash(file)))
		require.NoError(t, err)
		var names []string
		for _, entry := range archive.File {
			names = append(names, entry.Name)
		}
		require.NoError(t, archive.Close())
		require.Equal(t, want, names)
	}
}

func TestProxyFiles(t *testing.T) {
	out := t.TempDir()
	require.NoError(t, run(checkout(t), out, "v1.2.3"))
	dir := filepath.Join(out, "example.org", "!top", "@v")
	mod, err := os.ReadFile(filepath.Join(dir, "v1.2.3.mod"))
	require.NoError(t, err)
	require.Equal(t, "module example.org/Top\n", string(mod))
	list, err := os.ReadFile(filepath.Join(dir, "list"))
	require.NoError(t, err)
	require.Equal(t, "v1.2.3\n", string(list))
	info, err := os.ReadFile(filepath.Join(dir, "v1.2.3.info"))
	require.NoError(t, err)
	require.Contains(t, string(info), `"Version":"v1.2.3"`)
}

func TestDeletedFilesAreLeftOut(t *testing.T) {
	root := checkout(t)
	require.NoError(t, exec.Command("git", "-C", root, "add", "top.go").Run())
	require.NoError(t, os.Remove(filepath.Join(root, "top.go")))
	require.NoError(t, run(root, t.TempDir(), "v0.1.0"))
}

func TestErrorsSayWhat(t *testing.T) {
	require.ErrorContains(t, run(".", "", "v0.1.0"), "-out names no folder")
	require.ErrorContains(t, run(filepath.Join(t.TempDir(), "gone"), t.TempDir(), "v0.1.0"), "git ls-files")
	root := checkout(t)
	require.NoError(t, os.WriteFile(filepath.Join(root, "go.mod"), []byte("go 1.26\n"), 0o644))
	require.ErrorContains(t, run(root, t.TempDir(), "v0.1.0"), "go.mod has no module line")
}
