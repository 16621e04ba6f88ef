package crash

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// sitePackages are the packages between a run or handler and its external calls.
var sitePackages = []string{"db", "openstack", "tasks", "worker", "scheduler"}

// siteRoots are the functions that the two processes call directly.
var siteRoots = []string{
	"(*staffeln/scheduler.Scheduler).Run", "(*staffeln/worker.Worker).Handlers", "(*staffeln/worker.Reporter).Handlers", "(*staffeln/tasks.Client).Dispatch", "staffeln/tasks.Serve",
	"staffeln/db.Open", "(*staffeln/db.DB).Installation", "(*staffeln/db.DB).ServiceUser", "staffeln/openstack.Connect",
}

// implementation returns the name of the method that implements an interface's method in the programs of cmd.
func implementation(name string) string {
	return strings.NewReplacer(
		"(staffeln/worker.Cloud)", "(*staffeln/openstack.Cloud)", "(staffeln/worker.Directory)", "(*staffeln/openstack.Cloud)", "(staffeln/scheduler.Cloud)", "(*staffeln/openstack.Cloud)",
		"(staffeln/scheduler.Queue)", "(*staffeln/tasks.Client)").Replace(name)
}

// A callSite is one call in these packages, and the function around it.
type callSite struct {
	pkg, file   string
	first, last int // lines
	in, callee  string
}

func (c callSite) String() string {
	return fmt.Sprintf("%s/%s:%d: %s in %s", c.pkg, c.file, c.first, c.callee, c.in)
}

// A callGraph contains who calls whom in these packages. Code that another goroutine executes counts as a function of its own.
type callGraph struct {
	fset     *token.FileSet
	sites    []callSite
	refers   map[string][]string // references to functions, as calls or as values
	external map[string]bool     // functions that are external calls
}

// externalFunctions are the library functions that make external calls, by package path.
var externalFunctions = map[string][]string{
	"github.com/jackc/pgx/v5":               {"Query", "QueryRow", "Exec", "SendBatch", "CopyFrom", "Begin", "BeginTx", "BeginFunc", "BeginTxFunc", "Commit", "Rollback"},
	"github.com/gophercloud/gophercloud/v2": {"Request", "Reauthenticate", "AuthenticateV3"},
	"net/http":                              {"Do"},
	"github.com/hibiken/asynq":              {"Enqueue", "EnqueueContext", "GetTaskInfo", "DeleteTask", "ArchiveTask", "RunTask", "CancelProcessing"},
}

// isExternal reports whether a call leaves the program: through a library, or through an interface in front of one.
func isExternal(f *types.Func) bool {
	if f.Pkg() == nil {
		return false
	}
	signature, _ := f.Type().(*types.Signature)
	for path, names := range externalFunctions {
		if (f.Pkg().Path() == path || strings.HasPrefix(f.Pkg().Path(), path+"/")) && slices.Contains(names, f.Name()) {
			return true
		}
	}
	byInterface := signature.Recv() != nil && types.IsInterface(signature.Recv().Type())
	if byInterface && f.Pkg().Path() == "staffeln/db" {
		return slices.Contains(externalFunctions["github.com/jackc/pgx/v5"], f.Name())
	}
	return byInterface && strings.HasPrefix(f.Pkg().Path(), "github.com/redis/go-redis") && signature.Params().Len() > 0 &&
		signature.Params().At(0).Type().String() == "context.Context"
}

// readCallGraph reads the sources of the packages; the types of their imports come from the compiler.
func readCallGraph(t *testing.T) *callGraph {
	t.Helper()
	g := &callGraph{fset: token.NewFileSet(), refers: map[string][]string{}, external: map[string]bool{}}
	args := []string{"list", "-export", "-deps", "-json=ImportPath,Export,Dir,GoFiles"}
	for _, pkg := range sitePackages {
		args = append(args, "staffeln/"+pkg)
	}
	list, err := exec.CommandContext(t.Context(), "go", args...).Output()
	require.NoError(t, err)
	type listed struct {
		ImportPath, Export, Dir string
		GoFiles                 []string
	}
	packages := map[string]listed{}
	for d := json.NewDecoder(bytes.NewReader(list)); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		}
		packages[p.ImportPath] = p
	}
	imports := importer.ForCompiler(g.fset, "gc", func(path string) (io.ReadCloser, error) { return os.Open(packages[path].Export) })
	for _, pkg := range sitePackages {
		p := packages["staffeln/"+pkg]
		var files []*ast.File
		for _, name := range p.GoFiles {
			file, err := parser.ParseFile(g.fset, filepath.Join(p.Dir, name), nil, 0)
			require.NoError(t, err)
			files = append(files, file)
		}
		info := &types.Info{Uses: map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{}, Types: map[ast.Expr]types.TypeAndValue{}}
		_, err := (&types.Config{Importer: imports}).Check(p.ImportPath, g.fset, files, info)
		require.NoError(t, err)
		for _, file := range files {
			g.read(pkg, file, info)
		}
	}
	return g
}

func (g *callGraph) read(pkg string, file *ast.File, info *types.Info) {
	for _, declared := range file.Decls {
		function, ok := declared.(*ast.FuncDecl)
		if !ok || function.Body == nil {
			continue
		}
		object, _ := info.Defs[function.Name].(*types.Func)
		w := siteWalker{g, pkg, info, object.FullName()}
		ast.Inspect(function.Body, w.visit)
	}
}

// A siteWalker visits the calls of one function.
type siteWalker struct {
	*callGraph

	pkg  string
	info *types.Info
	in   string
}

func (w siteWalker) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.GoStmt:
		w.elsewhere(n.Call)
		return false
	case *ast.ReturnStmt: // a function literal that is returned runs later
		for _, result := range n.Results {
			if _, isFunction := result.(*ast.FuncLit); isFunction {
				w.later(result)
				return false
			}
		}
	case *ast.CallExpr:
		if called, ok := n.Fun.(*ast.SelectorExpr); ok && slices.Contains([]string{"Go", "DoChan", "AfterFunc"}, called.Sel.Name) {
			w.elsewhere(n)
			return false
		}
		w.call(n)
	case *ast.Ident:
		if f, ok := w.info.Uses[n].(*types.Func); ok {
			w.refers[w.in] = append(w.refers[w.in], implementation(f.Origin().FullName()))
		}
	}
	return true
}

// elsewhere visits code that another goroutine executes.
func (w siteWalker) elsewhere(call *ast.CallExpr) {
	w.later(append(call.Args, call.Fun)...)
}

// later visits code that is not executed within this function.
func (w siteWalker) later(parts ...ast.Expr) {
	other := w
	other.in = w.in + "'s later part"
	w.refers[w.in] = append(w.refers[w.in], other.in)
	for _, part := range parts {
		ast.Inspect(part, other.visit)
	}
}

func (w siteWalker) call(call *ast.CallExpr) {
	var name *ast.Ident
	switch f := ast.Unparen(call.Fun).(type) {
	case *ast.Ident:
		name = f
	case *ast.SelectorExpr:
		name = f.Sel
	default:
		return
	}
	f, ok := w.info.Uses[name].(*types.Func)
	if !ok {
		return
	}
	callee := implementation(f.Origin().FullName())
	if isExternal(f) {
		w.external[callee] = true
	}
	from, to := w.fset.Position(call.Pos()), w.fset.Position(call.End())
	w.sites = append(w.sites, callSite{w.pkg, filepath.Base(from.Filename), from.Line, to.Line, w.in, callee})
}
