package kafkatest

import (
	"archive/zip"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const defaultHeapMB = 512

// findJava returns the java program: JAVA_HOME's, else the PATH's.
func findJava() (string, error) {
	if home := os.Getenv("JAVA_HOME"); home != "" {
		if path, err := exec.LookPath(filepath.Join(home, "bin", "java")); err == nil {
			return path, nil
		}
	}
	path, err := exec.LookPath("java")
	if err != nil {
		return "", &MissingToolError{Tool: "java", Need: "real Kafka runs on Java 17 or newer",
			Cure: "install it (Debian: apt-get install openjdk-17-jre-headless) or set JAVA_HOME"}
	}
	return path, nil
}

// findCompiler makes sure that java can run a source file, which a JRE cannot.
func findCompiler() error {
	java, err := findJava()
	if err != nil {
		return err
	}
	if real, err := filepath.EvalSymlinks(java); err == nil {
		java = real
	}
	if _, err := exec.LookPath(filepath.Join(filepath.Dir(java), "javac")); err != nil {
		return &MissingToolError{Tool: "javac", Need: "a test runs a Java program of its own, for which " + java + " needs its compiler beside it",
			Cure: "install a JDK (Debian: apt-get install default-jdk-headless) or set JAVA_HOME to one"}
	}
	return nil
}

// jvm describes one run of a main class.
type jvm struct {
	jars    string   // folder of jars
	heapMB  int      // 0 = defaultHeapMB
	options []string // further JVM options; they override the kit's
	main    string
	args    []string
}

// command leaves out/err to the caller. The flags trade peak speed for a quick start: the serial collector, only the
// first compiler, no shared performance file.
func (j jvm) command() (*exec.Cmd, error) {
	java, err := findJava()
	if err != nil {
		return nil, err
	}
	heap := j.heapMB
	if heap == 0 {
		heap = defaultHeapMB
	}
	args := []string{"-Xmx" + strconv.Itoa(heap) + "m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData",
		"-Xshare:auto", "-Djava.awt.headless=true"}
	args = append(args, j.options...)
	args = append(args, j.main)
	cmd := exec.Command(java, append(args, j.args...)...)
	// In the environment, because no shell may expand the star.
	cmd.Env = append(os.Environ(), "CLASSPATH="+filepath.Join(j.jars, "*"))
	return cmd, nil
}

// ToolClass finds the main class of one of Kafka's tools by its simple name ("ConsoleConsumer", "VerifiableProducer",
// "ConsumerGroupCommand") in a version's jars: tools moved between packages over the years. The jars must be fetched.
func ToolClass(jars, simpleName string) (string, error) {
	files, err := filepath.Glob(filepath.Join(jars, "kafka*.jar"))
	if err != nil {
		return "", err
	}
	var found []string
	for _, file := range files {
		classes, err := toolClasses(file, simpleName)
		if err != nil {
			return "", err
		}
		found = append(found, classes...)
	}
	if len(found) == 0 {
		return "", &UnsupportedError{What: "running " + simpleName, Have: filepath.Base(filepath.Dir(jars))}
	}
	slices.Sort(found) // kafka.* before org.apache.kafka.*: where both are there, the old one is the complete one
	return found[0], nil
}

func toolClasses(jar, simpleName string) ([]string, error) {
	r, err := zip.OpenReader(jar)
	if err != nil {
		return nil, fmt.Errorf("kafkatest: %s cannot be read: %w", jar, err)
	}
	defer r.Close()
	var found []string
	for _, f := range r.File {
		class, ok := strings.CutSuffix(f.Name, "/"+simpleName+".class")
		if ok && (strings.HasPrefix(class, "kafka/") || strings.HasPrefix(class, "org/apache/kafka/tools")) {
			found = append(found, strings.ReplaceAll(class, "/", ".")+"."+simpleName)
		}
	}
	return found, nil
}
