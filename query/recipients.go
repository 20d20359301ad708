package query

import (
	"slices"

	"tidings/event"
)

// Recipients holds on sends by the state of their recipients, which an index
// does not know: see Query.Candidates and AsksRecipients.
//
// Without Who it asks all recipients of the message, or those of the send's user
// where others have sent it too: see RecipientState for which of them are enough. With Who it asks one person: it holds where the send
// has a recipient whom Who holds for and who is in the state; Unreplied where it
// has such recipients and none of them has replied. From "who at acme has opened
// but not replied" comes
//
//	Recipients{Is: IsOpened, Who: And{
//		Keyword{FieldDomain, {"acme.com"}},
//		Not{Recipients{Is: IsReplied}},
//	}}
//
// A store that counts by RecipientStatus alone knows nothing of single people;
// Query.AsksPerson tells such a query, which is answered from the states.
type Recipients struct {
	Is RecipientState
	// OlderThan is the least age of the send in seconds, counted from the
	// query's Now; 0 for any.
	OlderThan int64
	// Who is a condition on one recipient; nil is anybody. It is made of
	// Keyword over FieldRecipient and FieldDomain, Words over FieldPeople (or
	// FieldAny, which is no wider here), Recipients with Is, From and Until
	// alone, which ask the state of the same recipient, and And, Or and Not.
	Who Expr
	// From and Until bound when the recipient first did what Is says, in Unix
	// seconds, [From, Until); 0 leaves an end open. They are for the states
	// that have a time: opened, clicked, replied, downloaded, bounced. A time
	// that is not kept any more (see event.State.Done) is in no bounds.
	From, Until int64
	// Actor has it ask, of an event that one recipient did, for that recipient's
	// state with the same message: who opened it twice and has not replied. It
	// holds on no send. Queries with a History ask so.
	Actor bool
}

// ofPerson reports whether it asks single recipients, beyond RecipientStatus.
func (r Recipients) ofPerson() bool { return r.Who != nil || r.From != 0 || r.Until != 0 || r.Actor }

// match reports whether it holds on a send at now.
func (r Recipients) match(e event.Event, s *event.State, now int64) bool {
	if r.Actor {
		return r.matchActor(e, s)
	}
	old := r.OlderThan == 0 || e.Time <= now-r.OlderThan
	switch {
	case e.Type != event.Send || !old || s == nil:
		return false
	case !r.ofPerson():
		return r.Is.match(s.SentBy(e.User))
	}
	asked := false
	for _, person := range e.Recipients {
		one := recipient{key: event.KeyOf(person.Email), person: person, state: s}
		if !one.holds(r.Who) {
			continue
		}
		asked = true
		if r.Is == IsUnreplied {
			if one.is(Recipients{Is: IsReplied, From: r.From, Until: r.Until}) {
				return false
			}
			continue
		}
		if one.is(r) {
			return true
		}
	}
	return r.Is == IsUnreplied && asked
}

// recipient is one recipient of a send that conditions are asked of.
type recipient struct {
	key    event.RecipientKey
	person event.Person
	state  *event.State
	// tokens are the words of name and address, once they were needed.
	tokens []Token
	read   bool
}

func (o *recipient) holds(who Expr) bool {
	switch e := who.(type) {
	case And:
		return !slices.ContainsFunc(e, func(part Expr) bool { return !o.holds(part) })
	case Or:
		return slices.ContainsFunc(e, o.holds)
	case Not:
		return !o.holds(e.Expr)
	case Keyword:
		switch e.Field {
		case FieldRecipient:
			return slices.Contains(e.Values, o.person.Email)
		case FieldDomain:
			return slices.Contains(e.Values, Domain(o.person.Email))
		}
		return false
	case Words:
		if !o.read {
			o.tokens, o.read = slices.Concat(Analyse(o.person.Name), Analyse(o.person.Email), Variants(o.person.Name)), true
		}
		return (e.Field == FieldPeople || e.Field == FieldAny) && e.in(o.tokens)
	case Recipients:
		return o.is(e)
	}
	return who == nil
}

// is reports whether the recipient is in the state, since when it says so.
func (o *recipient) is(r Recipients) bool {
	mark, not := r.Is.mark()
	if mark == "" {
		return false
	}
	at, has := o.state.First[mark][o.key]
	if mark == event.MarkOpened && o.state.Done && !has {
		// Everybody has opened, and when is not kept.
		at, has = 0, true
	}
	if has && (r.From != 0 || r.Until != 0) {
		has = at != 0 && (Time{r.From, r.Until}).holds(at)
	}
	return has != not
}

// mark is the mark of one recipient that the state asks for, and whether it must
// be missing.
func (is RecipientState) mark() (mark event.Mark, not bool) {
	switch is {
	case IsUnopened:
		return event.MarkOpened, true
	case IsOpened:
		return event.MarkOpened, false
	case IsClicked:
		return event.MarkClicked, false
	case IsReplied:
		return event.MarkReplied, false
	case IsUnreplied:
		return event.MarkReplied, true
	case IsDownloaded:
		return event.MarkDownloaded, false
	case IsBounced:
		return event.MarkBounced, false
	}
	return "", false
}

// AsksPerson reports whether the query asks for the state of single recipients,
// which a RecipientStatus does not tell: who of a send's recipients has opened,
// or when. Such a query is answered from event.State, with Query.Match or
// Query.Confirm.
func (q Query) AsksPerson() bool {
	asks := false
	walk(q.Where, true, func(leaf Expr, _ bool) {
		r, ok := leaf.(Recipients)
		asks = asks || ok && r.ofPerson()
	})
	return asks
}
