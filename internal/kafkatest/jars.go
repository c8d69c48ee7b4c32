package kafkatest

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Fetch makes sure that the jars of a Kafka version ("" is DefaultVersion) are in the cache and returns their folder.
// It downloads with Maven when they are not there yet, which takes 5 to 30 seconds. The cache is
// ${XDG_CACHE_HOME:-~/.cache}/moldau/kafka/<version>; several processes may fill it at once, and a fill that was killed
// half-way is never taken for a whole one. Safe for concurrent use. Errors: MissingToolError, DownloadError,
// UnsupportedError, or the file system's.
func Fetch(ctx context.Context, kafkaVersion string) (string, error) {
	v, err := parseVersion(kafkaVersion)
	if err != nil {
		return "", err
	}
	root, err := cacheRoot()
	if err != nil {
		return "", err
	}
	// The folder's name carries the pom's hash, so that a change of the list of jars makes a new folder beside the old
	// one, which brokers that run now may still read.
	pom := v.pom()
	hash := sha256.Sum256([]byte(pom))
	dir := filepath.Join(root, v.text, "jars-"+hex.EncodeToString(hash[:4]))
	if present(dir) {
		return dir, nil
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return "", fmt.Errorf("kafkatest: the jar cache cannot be made: %w", err)
	}
	// One fill at a time over all versions: Maven's own repository does not bear concurrent writers.
	unlock, err := lockFile(ctx, filepath.Join(root, "fill.lock"))
	if err != nil {
		return "", err
	}
	defer unlock()
	if present(dir) {
		return dir, nil
	}
	return dir, fill(ctx, v, pom, dir)
}

func cacheRoot() (string, error) {
	base := os.Getenv("XDG_CACHE_HOME")
	if base == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", fmt.Errorf("kafkatest: no place for the jar cache, set XDG_CACHE_HOME: %w", err)
		}
		base = filepath.Join(home, ".cache")
	}
	return filepath.Join(base, "moldau", "kafka"), nil
}

// present needs no look inside: a folder gets its name only once it is whole.
func present(dir string) bool {
	info, err := os.Stat(dir)
	return err == nil && info.IsDir()
}

// fill runs under the lock, so every partial folder it finds is left over from a fill that died.
func fill(ctx context.Context, v version, pom, dir string) error {
	left, _ := filepath.Glob(filepath.Join(filepath.Dir(dir), "partial-*"))
	for _, old := range left {
		if err := os.RemoveAll(old); err != nil {
			return fmt.Errorf("kafkatest: a broken fill of the jar cache cannot be removed: %w", err)
		}
	}
	partial, err := os.MkdirTemp(filepath.Dir(dir), "partial-")
	if err != nil {
		return fmt.Errorf("kafkatest: the jar cache cannot be written: %w", err)
	}
	defer os.RemoveAll(partial)
	jars := filepath.Join(partial, "jars")
	if err := maven(ctx, v, pom, partial, jars); err != nil {
		return err
	}
	if err := checkJars(v, jars); err != nil {
		return &DownloadError{Version: v.text, Cause: err}
	}
	if err := os.Rename(jars, dir); err != nil {
		return fmt.Errorf("kafkatest: the jar cache cannot be written: %w", err)
	}
	return nil
}

func maven(ctx context.Context, v version, pom, project, jars string) error {
	mvn, err := exec.LookPath("mvn")
	if err != nil {
		return &MissingToolError{Tool: "mvn", Need: "the jars of Kafka " + v.text + " are not in the cache yet and Maven fetches them",
			Cure: "install it (Debian: apt-get install maven) and try again"}
	}
	if err := os.WriteFile(filepath.Join(project, "pom.xml"), []byte(pom), 0o644); err != nil {
		return fmt.Errorf("kafkatest: the jar cache cannot be written: %w", err)
	}
	out, err := os.Create(filepath.Join(project, "mvn.log"))
	if err != nil {
		return fmt.Errorf("kafkatest: the jar cache cannot be written: %w", err)
	}
	defer out.Close()
	cmd := exec.Command(mvn, "-q", "-B", "dependency:copy-dependencies", "-DincludeScope=runtime", "-DoutputDirectory="+jars)
	cmd.Dir, cmd.Stdout, cmd.Stderr = project, out, out
	p, err := startProcess(cmd, nil)
	if err != nil {
		return &DownloadError{Version: v.text, Cause: err}
	}
	if err := p.wait(ctx); err != nil {
		p.kill()
		return &DownloadError{Version: v.text, Cause: err, Output: tail(out.Name(), 20)}
	}
	return nil
}

// checkJars opens every jar's directory, so that a truncated download is found now and not by a broker.
func checkJars(v version, dir string) error {
	names, err := filepath.Glob(filepath.Join(dir, "*.jar"))
	if err != nil {
		return err
	}
	broker := false
	for _, name := range names {
		jar, err := zip.OpenReader(name)
		if err != nil {
			return fmt.Errorf("%s is broken: %w", filepath.Base(name), err)
		}
		jar.Close()
		broker = broker || strings.HasPrefix(filepath.Base(name), "kafka_"+v.scala())
	}
	if !broker {
		return fmt.Errorf("no broker among the %d jars", len(names))
	}
	return nil
}
