package verdict

// automaton finds many texts in one pass (Aho and Corasick, "Efficient string
// matching", 1975), without regard to the case of ASCII letters. It is read only
// once it is built.
type automaton struct {
	// class is the number of a byte among those that texts have, 0 for others.
	class [256]uint8
	// classes is how many there are.
	classes int
	// next holds the state after each state and class.
	next []int32
	// found holds the texts that end in a state, by number.
	found [][]int32
}

func newAutomaton(texts []string) *automaton {
	a := &automaton{classes: 1}
	for _, text := range texts {
		for i := range len(text) {
			a.addClass(text[i])
		}
	}
	a.grow()
	for number, text := range texts {
		state := int32(0)
		for i := range len(text) {
			at := int(state)*a.classes + int(a.class[text[i]])
			if a.next[at] == 0 {
				a.next[at] = a.grow()
			}
			state = a.next[at]
		}
		a.found[state] = append(a.found[state], int32(number))
	}
	a.link()
	return a
}

// addClass gives a byte, in both cases of a letter, a class.
func (a *automaton) addClass(b byte) {
	if a.class[b] != 0 {
		return
	}
	class := uint8(a.classes)
	a.classes++
	a.class[b] = class
	if 'a' <= b && b <= 'z' {
		a.class[b-'a'+'A'] = class
	}
}

// grow adds a state that leads nowhere yet.
func (a *automaton) grow() int32 {
	a.next = append(a.next, make([]int32, a.classes)...)
	a.found = append(a.found, nil)
	return int32(len(a.found) - 1)
}

// link makes every state lead on as the longest end of it that is a state does.
func (a *automaton) link() {
	fallback := make([]int32, len(a.found))
	queue := make([]int32, 0, len(a.found))
	for _, state := range a.next[:a.classes] {
		if state != 0 {
			queue = append(queue, state)
		}
	}
	for len(queue) > 0 {
		state := queue[0]
		queue = queue[1:]
		back := fallback[state]
		a.found[state] = append(a.found[state], a.found[back]...)
		for class := range a.classes {
			at := int(state)*a.classes + class
			beyond := a.next[int(back)*a.classes+class]
			if a.next[at] == 0 {
				a.next[at] = beyond
				continue
			}
			fallback[a.next[at]] = beyond
			queue = append(queue, a.next[at])
		}
	}
}

// each calls visit with the number of each text that was found and where it
// ends.
func (a *automaton) each(text string, visit func(number, end int)) {
	state := int32(0)
	for i := range len(text) {
		state = a.next[int(state)*a.classes+int(a.class[text[i]])]
		for _, number := range a.found[state] {
			visit(int(number), i+1)
		}
	}
}
