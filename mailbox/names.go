package mailbox

// names is a set of the names of mails, each with its author, in 8 bytes a name: 44 bits of
// the name's hash and 20 of the author's. Of a million names one that is not there
// is taken for one that is once in 16 million times.
type names struct {
	// slots are a table with open addressing, 0 where there is none.
	slots []uint64
	count int
}

const (
	authorBits = 20
	authorMask = 1<<authorBits - 1
	leastSlots = 1 << 10
)

// put notes a name; the author who was noted last counts.
func (n *names) put(name, author uint64) {
	if n.count >= len(n.slots)/5*4 {
		n.grow()
	}
	slot := n.slot(name)
	if n.slots[slot] == 0 {
		n.count++
	}
	n.slots[slot] = nameOf(name) | author&authorMask
}

// find reports whether a name is there, and whether it is the author's.
func (n *names) find(name, author uint64) (known, self bool) {
	if n.count == 0 {
		return false, false
	}
	found := n.slots[n.slot(name)]
	return found != 0, found != 0 && found&authorMask == author&authorMask
}

// nameOf are the bits of a name that are kept, never none.
func nameOf(hash uint64) uint64 { return max(hash&^authorMask, 1<<authorBits) }

// slot is where a name is, or where it goes.
func (n *names) slot(hash uint64) int {
	name, mask := nameOf(hash), len(n.slots)-1
	for at := int(name>>authorBits) & mask; ; at = (at + 1) & mask {
		if n.slots[at] == 0 || n.slots[at]&^authorMask == name {
			return at
		}
	}
}

// grow doubles the table.
func (n *names) grow() {
	old := n.slots
	n.slots = make([]uint64, max(leastSlots, 2*len(old)))
	for _, each := range old {
		if each != 0 {
			n.slots[n.slot(each)] = each
		}
	}
}
