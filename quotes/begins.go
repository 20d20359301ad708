package quotes

import (
	"regexp"
	"regexp/syntax"
	"sync"
	"unicode/utf8"
)

// pattern is a regular expression for whole lines that knows how they may begin, so
// that most lines cost one look into a table: a long choice of words takes the regexp
// package some microseconds a line.
type pattern struct {
	*regexp.Regexp
	// begins are the first three bytes of lines in ASCII that may match.
	begins func() map[[3]byte]bool
}

func newPattern(text string) pattern {
	return pattern{regexp.MustCompile(text), sync.OnceValue(func() map[[3]byte]bool { return beginningsOf(text) })}
}

// matches is MatchString.
func (p pattern) matches(line string) bool {
	if len(line) >= 3 && line[0] < utf8.RuneSelf && line[1] < utf8.RuneSelf && line[2] < utf8.RuneSelf {
		if !p.begins()[[3]byte{line[0], line[1], line[2]}] {
			return false
		}
	}
	return p.MatchString(line)
}

// beginningsOf follows an expression that begins with ^ over each three bytes of ASCII.
func beginningsOf(text string) map[[3]byte]bool {
	parsed, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		panic(err) // it was compiled
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		panic(err)
	}
	begins := make(map[[3]byte]bool)
	var follow func(at []uint32, read []byte)
	follow = func(at []uint32, read []byte) {
		if len(read) == 3 {
			begins[[3]byte(read)] = true
			return
		}
		for c := range byte(utf8.RuneSelf) {
			var next []uint32
			for _, n := range at {
				in := &program.Inst[n]
				if in.Op == syntax.InstMatch {
					next = append(next, n) // whatever follows
				} else if in.MatchRune(rune(c)) {
					next = reach(program, in.Out, next)
				}
			}
			if len(next) > 0 {
				follow(next, append(read[:len(read):len(read)], c))
			}
		}
	}
	follow(reach(program, uint32(program.Start), nil), nil)
	return begins
}

// reach adds the instructions that read something, or match, from one on. The end of
// the text is not reached by more of it.
func reach(program *syntax.Prog, n uint32, found []uint32) []uint32 {
	seen := make(map[uint32]bool)
	var visit func(n uint32)
	visit = func(n uint32) {
		if seen[n] {
			return
		}
		seen[n] = true
		switch in := &program.Inst[n]; in.Op {
		case syntax.InstAlt, syntax.InstAltMatch:
			visit(in.Out)
			visit(in.Arg)
		case syntax.InstCapture, syntax.InstNop:
			visit(in.Out)
		case syntax.InstEmptyWidth:
			if syntax.EmptyOp(in.Arg)&(syntax.EmptyEndText|syntax.EmptyEndLine) == 0 {
				visit(in.Out)
			}
		case syntax.InstFail:
		default:
			found = append(found, n)
		}
	}
	visit(n)
	return found
}
