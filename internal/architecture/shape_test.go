package architecture

import (
	"fmt"
	"go/ast"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strings"
)

// maxLines is the length of the longest file that a reader is asked to take in.
const maxLines = 600

func longFiles(c *checkout) []string {
	var problems []string
	for _, s := range c.files {
		lines := strings.Count(s.text, "\n")
		if lines > maxLines && !s.generated() {
			problems = append(problems, fmt.Sprintf("%s: %d lines are more than %d: one idea per file", s.path, lines, maxLines))
		}
	}
	return problems
}

// vague are names that say nothing about what is inside.
var vague = []string{"util", "utils", "utility", "common", "manager", "managers", "helper", "helpers", "misc", "shared"}

func vagueNames(c *checkout) []string {
	var problems []string
	for _, s := range c.files {
		if s.tree == nil {
			continue
		}
		for _, name := range []string{strings.TrimSuffix(s.tree.Name.Name, "_test"), path.Base(s.folder())} {
			if slices.Contains(vague, name) {
				problems = append(problems, fmt.Sprintf("%s: a package named %s could hold anything: name it after what it knows", s.path, name))
				break
			}
		}
	}
	return problems
}

// headerWords are the words that begin the lines of an actor's header.
var headerWords = []string{"Purpose", "Parent", "Children", "Messages", "Restart", "Crash"}

// headlessShells looks for files below actors/ that declare an actor and do not
// open with its header: comment lines that begin with the words above, before the
// first declaration that is no import.
func headlessShells(c *checkout) []string {
	var problems []string
	for _, s := range c.files {
		if s.test() || s.tree == nil || !matches("actors/...", s.folder()) || matches("actors/internal/...", s.folder()) {
			continue
		}
		receive := receiveMethod(s.tree)
		if receive == nil {
			continue
		}
		if missing := missingWords(openingComments(s.tree)); len(missing) > 0 {
			problems = append(problems, fmt.Sprintf("%s: the file declares an actor, so it opens with a header of lines that begin with %s; missing: %s",
				c.at(s, receive.Pos()), strings.Join(headerWords, ", "), strings.Join(missing, ", ")))
		}
	}
	return problems
}

// receiveMethod finds a method Receive with one parameter: an actor.
func receiveMethod(tree *ast.File) *ast.FuncDecl {
	for _, decl := range tree.Decls {
		f, ok := decl.(*ast.FuncDecl)
		if ok && f.Recv != nil && f.Name.Name == "Receive" && f.Type.Params.NumFields() == 1 && f.Type.Results.NumFields() == 0 {
			return f
		}
	}
	return nil
}

// openingComments gives the comments before the first declaration that is no
// import, its own comment included.
func openingComments(tree *ast.File) string {
	end := tree.End()
	for _, decl := range tree.Decls {
		if g, ok := decl.(*ast.GenDecl); !ok || g.Tok != token.IMPORT {
			end = decl.Pos()
			break
		}
	}
	var b strings.Builder
	for _, group := range tree.Comments {
		if group.Pos() < end {
			b.WriteString(group.Text() + "\n")
		}
	}
	return b.String()
}

func missingWords(text string) []string {
	var missing []string
	for _, word := range headerWords {
		if !regexp.MustCompile(`(?m)^\W*` + word + `\b`).MatchString(text) {
			missing = append(missing, word)
		}
	}
	return missing
}
