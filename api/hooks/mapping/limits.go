package mapping

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/vm"

	"tidings/event"
)

// Bounds of what the expressions of one request may cost. A request of 10,000
// elements with a search through a short list in each takes a tenth of the steps.
const (
	maxSteps = 2_000_000
	maxBytes = 16 << 20
	// maxRun is a bound for what the others do not see; a request usually takes
	// microseconds.
	maxRun = 2 * time.Second
	// maxMemory bounds the elements of lists that one expression makes.
	maxMemory = 100_000
	// MaxBody bounds the bytes that a mapping is run on.
	MaxBody = 8 << 20
	// MaxElements bounds how many events a request may report.
	MaxElements = 10_000
	// maxEvents bounds the events of a request: some are about several people.
	maxEvents = 2 * MaxElements
	// maxWeight bounds what is kept of all elements, in bytes and some for each value.
	// Those of a body are within it; an expression may give the same one many times.
	maxWeight = 8 * MaxBody
	// maxLooked bounds what is looked at of a text for a short field.
	maxLooked = 4 << 10
)

// ErrLimit is a mapping that cost more than it may.
var ErrLimit = event.Invalid("mapping", "was stopped: its expressions take more steps or memory than they may")

// allowed are the functions of the language that are bounded by what they are
// given and make nothing larger of it. Those that do are written anew in
// functions.go, where they are counted. Nothing tells the time or a random number.
var allowed = []string{
	"all", "any", "one", "none", "filter", "map", "find", "findIndex", "findLast", "count", "type", "abs", "int", "float",
	"first", "last", "get",
}

// meter counts what a request costs.
type meter struct {
	steps, bytes int
	clock        func() time.Time
	until        time.Time
	// look is from how many steps on the clock is looked at again.
	look     int
	patterns map[string]pattern
	exceeded bool
	// weight is that of the elements so far.
	weight int
}

// weigh counts an element before it is written as JSON.
func (m *meter) weigh(element any) error {
	m.weight += 8
	switch v := element.(type) {
	case string:
		m.weight += len(v)
	case []any:
		for _, within := range v {
			if err := m.weigh(within); err != nil {
				return err
			}
		}
	case map[string]any:
		for name, within := range v {
			m.weight += len(name)
			if err := m.weigh(within); err != nil {
				return err
			}
		}
	}
	if m.weight > maxWeight {
		m.exceeded = true
		return ErrLimit
	}
	return nil
}

func newMeter(clock func() time.Time) *meter {
	return &meter{clock: clock, until: clock().Add(maxRun)}
}

// step counts one turn of a loop or one call. It ends the run with a panic, which
// the machine turns into an error.
func (m *meter) step() bool {
	m.steps++
	late := false
	if m.steps >= m.look && m.clock != nil {
		m.look = m.steps + lookEvery
		late = m.clock().After(m.until)
	}
	if m.steps > maxSteps || late {
		m.stop()
	}
	return true
}

// lookEvery is how many steps are made between two looks at the clock.
const lookEvery = 256

// read counts what a function looks through, a step for each 128 bytes.
func (m *meter) read(values ...any) {
	for _, value := range values {
		if text, ok := value.(string); ok {
			m.steps += len(text) / 128
		}
	}
	m.step()
}

// took counts what a function has made, and a step for each 256 bytes.
func (m *meter) took(n int) {
	m.steps += n / 256
	if m.bytes += n; m.bytes > maxBytes {
		m.stop()
	}
	m.step()
}

func (m *meter) stop() {
	m.exceeded = true
	panic(ErrLimit)
}

// errUsed is what an expression met that it cannot use.
var errUsed = errors.New("that value cannot be used here")

// stepName and addName are what counted puts into expressions.
const (
	stepName = "step__"
	addName  = "add__"
)

// counted puts a step into each turn of a loop, and a function that counts in
// the place of adding and comparing, so that neither time nor memory can be taken
// without being counted.
type counted struct{}

// Visit sees each node once its children have been seen.
func (counted) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.PredicateNode:
		if isCounted(n.Node) {
			return
		}
		n.Node = &ast.SequenceNode{Nodes: []ast.Node{call(stepName), n.Node}}
	case *ast.BinaryNode:
		if n.Operator == "+" {
			ast.Patch(node, call(addName, n.Left, n.Right))
		}
		if name, ok := comparisons[n.Operator]; ok {
			ast.Patch(node, call(name, n.Left, n.Right))
		}
	}
}

// comparisons are the operators that look through whole values.
var comparisons = map[string]string{
	"==": "equal__", "!=": "unequal__", "in": "in__", "matches": "matches__", "contains": "contains__",
	"<": "less__", "<=": "atMost__", ">": "more__", ">=": "atLeast__", "startsWith": "hasPrefix", "endsWith": "hasSuffix",
}

func call(name string, arguments ...ast.Node) ast.Node {
	return &ast.CallNode{Callee: &ast.IdentifierNode{Value: name}, Arguments: arguments}
}

func isCounted(node ast.Node) bool {
	sequence, ok := node.(*ast.SequenceNode)
	if !ok || len(sequence.Nodes) != 2 {
		return false
	}
	first, ok := sequence.Nodes[0].(*ast.CallNode)
	if !ok {
		return false
	}
	callee, ok := first.Callee.(*ast.IdentifierNode)
	return ok && callee.Value == stepName
}

// machine runs programs for one request.
type machine struct {
	vm    vm.VM
	env   map[string]any
	meter *meter
}

func newMachine(clock func() time.Time) *machine {
	m := &machine{meter: newMeter(clock)}
	m.env = environment(m.meter)
	m.vm.MemoryBudget = maxMemory
	return m
}

// run is the value of an expression; nil where it cannot be told. Its error is
// ErrLimit, or a note for whoever writes the mapping.
func (m *machine) run(program *vm.Program) (value any, note string, err error) {
	value, failed := m.vm.Run(program, m.env)
	if m.meter.exceeded || failed != nil && strings.Contains(failed.Error(), "memory budget exceeded") {
		return nil, "", ErrLimit
	}
	if failed != nil {
		first, _, _ := strings.Cut(failed.Error(), "\n")
		return nil, first, nil
	}
	if err := m.meter.charge(program); err != nil {
		return nil, "", err
	}
	return value, "", nil
}

// charge counts the program itself: a long one costs without any loop.
func (m *meter) charge(program *vm.Program) error {
	if m.steps += 1 + len(program.Bytecode)/16; m.steps > maxSteps {
		m.exceeded = true
		return ErrLimit
	}
	return nil
}

// sortedValues are the members of an object in the order of their names.
func sortedValues(object map[string]any) []any {
	names := make([]string, 0, len(object))
	for name := range object {
		names = append(names, name)
	}
	slices.Sort(names)
	values := make([]any, len(names))
	for i, name := range names {
		values[i] = object[name]
	}
	return values
}
