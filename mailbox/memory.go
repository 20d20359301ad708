package mailbox

import (
	"hash/maphash"

	"tidings/event"
)

// maxRemembered bounds the messages that a Memory holds, 10 to 20 bytes each.
const maxRemembered = 2_000_000

// maxLearned bounds the addresses that are learned.
const maxLearned = 10_000

// Memory is what the readers of one import have learned from mail that was sent:
// its names, and the addresses that wrote what lies in folders of sent mail. It
// belongs to one goroutine.
type Memory struct {
	seed maphash.Seed
	sent names
	own  map[string]string
}

// NewMemory knows nothing.
func NewMemory() *Memory {
	return &Memory{seed: maphash.MakeSeed(), own: make(map[string]string)}
}

// known is the Known of an Owner.
func (m *Memory) known(id, author string) (Original, bool) {
	known, self := m.sent.find(m.hash(id), m.hash(author))
	return Original{Self: self}, known
}

func (m *Memory) hash(text string) uint64 { return maphash.String(m.seed, text) }

// note remembers a mail that was sent.
func (m *Memory) note(mail *Mail, r Reading, folder Folder) {
	if r.Kind != Sent || len(r.Events) == 0 {
		return
	}
	if m.sent.count < maxRemembered {
		m.sent.put(m.hash(mail.key()), m.hash(mail.From.Email))
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
