package mailbox

import (
	"hash/maphash"

	"tidings/event"
)

// maxRemembered bounds the messages that a Memory holds, some 24 bytes each.
const maxRemembered = 2_000_000

// maxLearned bounds the addresses that are learned.
const maxLearned = 10_000

// Memory is what the readers of one import have learned from mail that was sent:
// its names, and the addresses that wrote what lies in folders of sent mail. It
// belongs to one goroutine.
type Memory struct {
	seed maphash.Seed
	// sent are the hashes of names, each with that of its author.
	sent map[uint64]uint32
	own  map[string]string
}

// NewMemory knows nothing.
func NewMemory() *Memory {
	return &Memory{seed: maphash.MakeSeed(), sent: make(map[uint64]uint32), own: make(map[string]string)}
}

// known is the Known of an Owner.
func (m *Memory) known(id, author string) (Original, bool) {
	by, ok := m.sent[maphash.String(m.seed, id)]
	return Original{Self: ok && by == m.author(author)}, ok
}

func (m *Memory) author(address string) uint32 { return uint32(maphash.String(m.seed, address)) }

// note remembers a mail that was sent.
func (m *Memory) note(mail *Mail, r Reading, folder Folder) {
	if r.Kind != Sent || len(r.Events) == 0 {
		return
	}
	if len(m.sent) < maxRemembered {
		m.sent[maphash.String(m.seed, mail.key())] = m.author(mail.From.Email)
	}
	if (folder == FolderSent || mail.labelled(FolderSent)) && len(m.own) < maxLearned {
		m.own[mail.From.Email] = firstUser(r.Events)
	}
}

func firstUser(events []event.Input) string { return events[0].User }

// with adds to an owner what was learned. The addresses are learned where nobody
// has told any, since whoever has told some has told all.
func (m *Memory) with(o Owner) Owner {
	o.Known = m.known
	if len(o.Users) == 0 && !o.Everybody && !o.Arrived {
		o.Users = m.own
	}
	return o
}
