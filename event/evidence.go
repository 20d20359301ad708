package event

import (
	"hash/fnv"
	"maps"
	"slices"
)

// Clicked is a click as its neighbours in time need to know it.
type Clicked struct {
	ID ID `json:"id"`
	// Link is a hash that tells one link of a message from another.
	Link uint32 `json:"l"`
}

// MaxClicks is how many clicks of a recipient on a message are kept, the latest.
const MaxClicks = 8

// ClickedOf is an event's Clicked.
func ClickedOf(e Event) Clicked {
	link := fnv.New32a()
	link.Write([]byte(e.Link))
	return Clicked{e.ID, link.Sum32()}
}

// Override is what a person said of one event, over all rules.
type Override struct {
	// Is is Human or Machine.
	Is     string `json:"is"`
	Reason string `json:"reason,omitempty"`
	// User is who said so, "" for a key that belongs to nobody.
	User string `json:"user,omitempty"`
}

// addClicks keeps the latest of the clicks known and given. A Done state keeps
// none: nothing that may still be judged is near them.
func (s *State) addClicks(key RecipientKey, clicks []Clicked) bool {
	if s.Done {
		return false
	}
	changed := false
	kept := s.Clicks[key]
	for _, click := range clicks {
		at, found := slices.BinarySearchFunc(kept, click, compareClicked)
		if found || len(kept) == MaxClicks && at == 0 {
			continue
		}
		// Never in place: a caller may hold the state from before.
		kept = slices.Insert(slices.Clone(kept), at, click)
		kept = kept[max(0, len(kept)-MaxClicks):]
		changed = true
	}
	if changed {
		if s.Clicks == nil {
			s.Clicks = make(map[RecipientKey][]Clicked, 1)
		}
		s.Clicks[key] = kept
	}
	return changed
}

func compareClicked(a, b Clicked) int {
	if order := compareID(a.ID, b.ID); order != 0 {
		return order
	}
	return int(int64(a.Link) - int64(b.Link))
}

// Names reports whether the state knows anything of a recipient.
func (s State) Names(key RecipientKey) bool {
	if _, ok := s.Recipients[key]; ok {
		return true
	}
	if len(s.Clicks[key]) > 0 || len(s.Overrides[key]) > 0 {
		return true
	}
	for _, firsts := range s.First {
		if _, ok := firsts[key]; ok {
			return true
		}
	}
	return false
}

// Forget takes a recipient out of the state.
func (s *State) Forget(key RecipientKey) {
	if s.Parts != nil {
		touched := make(map[string]bool)
		s.touch(touched, key)
		s.raiseParts(touched)
	}
	delete(s.Recipients, key)
	delete(s.Senders, key)
	s.prune()
	delete(s.Clicks, key)
	delete(s.Overrides, key)
	for mark, firsts := range s.First {
		delete(firsts, key)
		if len(firsts) == 0 {
			delete(s.First, mark)
		}
	}
	s.Version++
}

// Vacant reports whether the state is about nobody any more.
func (s State) Vacant() bool {
	return len(s.Recipients) == 0 && len(s.First) == 0 && len(s.Clicks) == 0 && len(s.Overrides) == 0
}

func cloneEach[K comparable, V any](from map[K]V, clone func(V) V) map[K]V {
	if from == nil {
		return nil
	}
	to := make(map[K]V, len(from))
	for key, value := range from {
		to[key] = clone(value)
	}
	return to
}

// Corrected is the state with the marks that verdicts decide made anew, for
// everyone who made one of the judged events. Those are all the opens, clicks
// and downloads of the message, with the verdicts that count now. It reports
// whether that moved anything.
func (s State) Corrected(judged []Event) (State, bool) {
	next := s.Clone()
	if next.Done {
		next.reopen()
	}
	for _, e := range judged {
		if e.Recipient == nil {
			continue
		}
		key := KeyOf(e.Recipient.Email)
		for _, mark := range judgedMarks {
			delete(next.First[mark], key)
		}
	}
	for _, e := range judged {
		if e.Recipient == nil {
			continue
		}
		key := KeyOf(e.Recipient.Email)
		if at, replied := next.First[MarkReplied][key]; replied {
			next.Apply(Change{First: map[Mark]map[RecipientKey]int64{MarkOpened: {key: at}}})
		}
		next.Apply(ChangeOf(e))
	}
	maps.DeleteFunc(next.First, func(_ Mark, firsts map[RecipientKey]int64) bool { return len(firsts) == 0 })
	if s.Done && next.Complete() {
		next.Finish()
	}
	next.Version, next.Expire, next.Parts = s.Version, s.Expire, s.Parts
	touched := make(map[string]bool)
	for _, e := range judged {
		if key := KeyOf(e.RecipientEmail()); e.Recipient != nil && !sameEvidence(s, next, key) {
			next.touch(touched, key)
		}
	}
	next.raiseParts(touched)
	same := next.Done == s.Done && maps.EqualFunc(next.First, s.First, func(a, b map[RecipientKey]int64) bool { return maps.Equal(a, b) }) &&
		maps.EqualFunc(next.Clicks, s.Clicks, slices.Equal)
	return next, !same
}

// judgedMarks are those that verdicts decide.
var judgedMarks = [...]Mark{MarkOpened, MarkMachineOpened, MarkClicked, MarkDownloaded}

// sameEvidence reports whether two states say the same of a recipient, as far as
// verdicts decide it.
func sameEvidence(a, b State, key RecipientKey) bool {
	for _, mark := range judgedMarks {
		was, marked := a.First[mark][key]
		if is, still := b.First[mark][key]; is != was || still != marked {
			return false
		}
	}
	return slices.Equal(a.Clicks[key], b.Clicks[key])
}

// SetOverride notes what a person said of an event, or forgets it where override
// is nil, and reports whether that changed anything.
func (s *State) SetOverride(key RecipientKey, id ID, override *Override) bool {
	before, known := s.Overrides[key][id]
	if override == nil {
		delete(s.Overrides[key], id)
		if len(s.Overrides[key]) == 0 {
			delete(s.Overrides, key)
		}
		return known
	}
	if known && before == *override {
		return false
	}
	if s.Overrides == nil {
		s.Overrides = make(map[RecipientKey]map[ID]Override, 1)
	}
	if s.Overrides[key] == nil {
		s.Overrides[key] = make(map[ID]Override, 1)
	}
	s.Overrides[key][id] = *override
	return true
}
