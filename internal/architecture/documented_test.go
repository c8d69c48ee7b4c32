package architecture

import (
	"fmt"
	"go/ast"
	"go/token"
	"regexp"
	"slices"
	"strings"
)

// undocumented looks for exported names without a comment, and for packages
// without one. The methods of an interface that users of the library see are
// documented by a comment of their own or in that of the interface; then a method that implements them needs none.
// Fields are left to the reader's judgement: a comment on each would be noise.
func undocumented(c *checkout) []string {
	var problems []string
	described := map[string]bool{}
	stated := statedMethods(c)
	for _, s := range c.files {
		if s.test() || s.tree == nil {
			continue
		}
		described[s.folder()] = described[s.folder()] || said(s.tree.Doc)
		if s.generated() {
			continue
		}
		for _, decl := range s.tree.Decls {
			problems = append(problems, undocumentedIn(c, s, decl, stated[s.folder()])...)
		}
	}
	for folder, ok := range described {
		if !ok {
			problems = append(problems, fmt.Sprintf("%s/: no file says in a package comment what this package is for", folder))
		}
	}
	slices.Sort(problems)
	return problems
}

func undocumentedIn(c *checkout, s *source, decl ast.Decl, stated []string) []string {
	switch decl := decl.(type) {
	case *ast.FuncDecl:
		if decl.Name.IsExported() && !said(decl.Doc) && reachable(decl, stated) {
			return []string{noComment(c, s, decl.Name)}
		}
	case *ast.GenDecl:
		var problems []string
		for _, spec := range decl.Specs {
			switch spec := spec.(type) {
			case *ast.ValueSpec:
				problems = append(problems, undocumentedValues(c, s, decl, spec)...)
			case *ast.TypeSpec:
				problems = append(problems, undocumentedType(c, s, decl, spec)...)
			}
		}
		return problems
	}
	return nil
}

// wellKnown are methods whose contract the standard library states.
var wellKnown = []string{"Error", "Unwrap", "Is", "As", "String", "Len", "Less", "Swap"}

// reachable tells functions, and methods of exported types that state a contract
// of their own.
func reachable(f *ast.FuncDecl, stated []string) bool {
	if f.Recv == nil {
		return true
	}
	return ast.IsExported(receiverName(f.Recv.List[0].Type)) &&
		!slices.Contains(wellKnown, f.Name.Name) && !slices.Contains(stated, f.Name.Name)
}

// statedMethods gives, by folder, the methods of its exported interfaces.
func statedMethods(c *checkout) map[string][]string {
	stated := map[string][]string{}
	for _, s := range c.files {
		if s.test() || s.tree == nil {
			continue
		}
		for _, object := range typesOf(s.tree) {
			methods, ok := object.Type.(*ast.InterfaceType)
			if !ok || !object.Name.IsExported() {
				continue
			}
			for _, method := range methods.Methods.List {
				for _, name := range method.Names {
					stated[s.folder()] = append(stated[s.folder()], name.Name)
				}
			}
		}
	}
	return stated
}

func typesOf(tree *ast.File) []*ast.TypeSpec {
	var types []*ast.TypeSpec
	for _, decl := range tree.Decls {
		if g, ok := decl.(*ast.GenDecl); ok {
			for _, spec := range g.Specs {
				if t, ok := spec.(*ast.TypeSpec); ok {
					types = append(types, t)
				}
			}
		}
	}
	return types
}

func receiverName(expression ast.Expr) string {
	switch expression := expression.(type) {
	case *ast.StarExpr:
		return receiverName(expression.X)
	case *ast.IndexExpr:
		return receiverName(expression.X)
	case *ast.IndexListExpr:
		return receiverName(expression.X)
	case *ast.Ident:
		return expression.Name
	}
	return ""
}

func undocumentedValues(c *checkout, s *source, decl *ast.GenDecl, spec *ast.ValueSpec) []string {
	if said(decl.Doc) || said(spec.Doc) || said(spec.Comment) {
		return nil
	}
	return exportedAmong(c, s, spec.Names)
}

func undocumentedType(c *checkout, s *source, decl *ast.GenDecl, spec *ast.TypeSpec) []string {
	if !spec.Name.IsExported() {
		return nil
	}
	comment := spec.Doc
	if comment == nil && decl.Lparen == token.NoPos {
		comment = decl.Doc
	}
	var problems []string
	if !said(comment) && !said(spec.Comment) {
		problems = append(problems, noComment(c, s, spec.Name))
	}
	methods, ok := spec.Type.(*ast.InterfaceType)
	if !ok || len(methods.Methods.List) == 1 || slices.Contains(strings.Split(s.folder(), "/"), "internal") {
		return problems // the comment of a type with one method is about it
	}
	for _, method := range methods.Methods.List {
		if said(method.Doc) || said(method.Comment) {
			continue
		}
		for _, name := range method.Names {
			if !mentions(comment.Text(), name.Name) && !slices.Contains(wellKnown, name.Name) {
				problems = append(problems, exportedAmong(c, s, []*ast.Ident{name})...)
			}
		}
	}
	return problems
}

func exportedAmong(c *checkout, s *source, names []*ast.Ident) []string {
	var problems []string
	for _, name := range names {
		if name.IsExported() {
			problems = append(problems, noComment(c, s, name))
		}
	}
	return problems
}

func noComment(c *checkout, s *source, name *ast.Ident) string {
	return fmt.Sprintf("%s: %s is exported and has no comment: say what it is, its unit, its default, what it fails with", c.at(s, name.Pos()), name.Name)
}

// said tells whether a comment has words; a lone directive has none.
func said(comment *ast.CommentGroup) bool { return strings.TrimSpace(comment.Text()) != "" }

func mentions(text, name string) bool {
	return regexp.MustCompile(`(?i)\b` + regexp.QuoteMeta(name) + `\b`).MatchString(text)
}
