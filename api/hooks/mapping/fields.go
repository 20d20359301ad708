package mapping

import (
	"maps"
	"slices"
	"time"

	"github.com/expr-lang/expr/vm"
)

// Fields are expressions for single fields of an event, over the vendor's own
// object as e.
type Fields struct{ programs map[string]*vm.Program }

// CompileFields compiles those that are not empty; the error is an
// *event.FieldError.
func CompileFields(texts map[string]string) (*Fields, error) {
	texts = maps.Clone(texts)
	maps.DeleteFunc(texts, func(_, text string) bool { return text == "" })
	programs, err := compileAll(texts)
	if err != nil {
		return nil, err
	}
	return &Fields{programs}, nil
}

// Run is what comes out, by field, as texts; nothing of what is no JSON, or costs
// too much.
func (f *Fields) Run(element []byte) map[string]string {
	m, err := start(Request{Body: element}, time.Now)
	if err != nil {
		return nil
	}
	m.env["e"] = m.env["body"]
	found := make(map[string]string, len(f.programs))
	for _, field := range slices.Sorted(maps.Keys(f.programs)) {
		value, _, err := m.run(f.programs[field])
		if err != nil {
			return found
		}
		found[field] = shorten(Text(value), maxText)
	}
	return found
}
