package architecture

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// The project stands alone: a file that is committed names no place, paper or
// tool of those who wrote it, no folder of a machine and no host that packages
// are downloaded from. The words are put together here, so that this file does
// not contain them.
var foreign = []string{
	`\.\./` + "shared", `\.\./\.` + "library", `\.` + "library" + `/`, "/work" + "/", "/tmp" + "/plan",
	"DESIGN" + `\.md`, "proto" + `actor\.md`, "go" + `clients\.md`, "real-" + `kafka\.md`, "spec/" + `brod\.md`, "spec/" + `kafkaex\.md`,
	"contract" + `\.md`, `\bissues ` + "show", `\bpart [0-9] ` + "of [0-9]", `\bthe ` + "brief", "sub-?" + "agent", "founding" + " engineer",
	`\b` + "clau" + "de", "anthro" + "pic", `\bL` + "LM", "co-authored" + "-by",
	"/root" + "/", "/home" + "/[a-z]", "/Users" + "/[a-z]",
	"proxy" + `\.golang\.org`, "sum" + `\.golang\.org`, "repo1?" + `\.maven`, "artifact" + "ory", "r-seed" + "-",
}

// foreignWords reads every text file that git tracks or would track.
func foreignWords(c *checkout) []string {
	pattern := regexp.MustCompile(`(?i)` + strings.Join(foreign, "|"))
	var problems []string
	for _, name := range c.committed() {
		text, err := os.ReadFile(filepath.Join(c.dir, filepath.FromSlash(name)))
		if err != nil || bytes.IndexByte(text[:min(len(text), 8000)], 0) >= 0 {
			continue // deleted meanwhile, a link to a folder, or no text
		}
		for number, line := range strings.Split(string(text), "\n") {
			if found := pattern.FindString(line); found != "" {
				problems = append(problems, fmt.Sprintf("%s:%d: %q is no part of this project: say it without", name, number+1, found))
			}
		}
	}
	return problems
}
