package main

import (
	"archive/zip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// module is one go.mod of the checkout and the files that belong to it.
type module struct {
	folder string // from the root, "" for the root
	path   string
	mod    []byte
	files  []string // from the root, sorted
}

// split gives every file to the innermost module around it. Vendored code and
// what is no regular file belongs to none, as in the zips that the go command
// makes itself.
func split(root string, files []string) ([]*module, error) {
	slices.Sort(files)
	files = slices.Compact(files)
	var modules []*module
	for _, name := range files {
		if path.Base(name) != "go.mod" {
			continue
		}
		text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if err != nil {
			return nil, err
		}
		m := &module{folder: strings.Trim(strings.TrimSuffix(name, "go.mod"), "/"), path: modulePath(string(text)), mod: text}
		if m.path == "" {
			return nil, fmt.Errorf("%s has no module line", name)
		}
		modules = append(modules, m)
	}
	for _, name := range files {
		info, err := os.Lstat(filepath.Join(root, filepath.FromSlash(name)))
		if err != nil || !info.Mode().IsRegular() || slices.Contains(strings.Split(name, "/"), "vendor") {
			continue
		}
		if m := innermost(modules, name); m != nil {
			m.files = append(m.files, name)
		}
	}
	return modules, nil
}

func modulePath(text string) string {
	for line := range strings.Lines(text) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "module "); ok {
			return strings.TrimSpace(name)
		}
	}
	return ""
}

func innermost(modules []*module, name string) *module {
	var best *module
	for _, m := range modules {
		inside := m.folder == "" || strings.HasPrefix(name, m.folder+"/")
		if inside && (best == nil || len(m.folder) > len(best.folder)) {
			best = m
		}
	}
	return best
}

// publish writes the five files that a module proxy has for a version.
func (m *module) publish(root, out, version string) error {
	dir := filepath.Join(out, filepath.FromSlash(escaped(m.path)), "@v")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	info, err := json.Marshal(map[string]string{"Version": version, "Time": time.Now().UTC().Format(time.RFC3339)})
	if err != nil {
		return err
	}
	for name, text := range map[string][]byte{"list": []byte(version + "\n"), version + ".info": info, version + ".mod": m.mod} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			return err
		}
	}
	archive, err := os.Create(filepath.Join(dir, version+".zip"))
	if err != nil {
		return err
	}
	if err := m.pack(root, version, archive); err != nil {
		archive.Close()
		return err
	}
	return archive.Close()
}

// pack writes the zip: every file below path@version/.
func (m *module) pack(root, version string, to io.Writer) error {
	archive := zip.NewWriter(to)
	for _, name := range m.files {
		text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if err != nil {
			return err
		}
		inside := strings.TrimPrefix(strings.TrimPrefix(name, m.folder), "/")
		entry, err := archive.Create(m.path + "@" + version + "/" + inside)
		if err != nil {
			return err
		}
		if _, err := entry.Write(text); err != nil {
			return err
		}
	}
	return archive.Close()
}

// escaped writes a module path as proxies do: a capital letter becomes an
// exclamation mark and the small one.
func escaped(name string) string {
	var b strings.Builder
	for _, r := range name {
		if r >= 'A' && r <= 'Z' {
			b.WriteByte('!')
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}
