package event

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRekey(t *testing.T) {
	const today, old, other = "jo@bücher.example", "jo@xn--bcher-kva.example", "jo@bücher.example."
	jo, was, dotted := KeyOf(today), TextKey(old), TextKey(other)
	kim := KeyOf("kim@acme.example")
	link := func(n uint32, b byte) Clicked { return Clicked{ID: ID{b}, Link: n} }
	s := State{
		User: "ana", Recipients: map[RecipientKey]Person{
			was: {Email: old, Name: "Jo"}, jo: {Email: today}, kim: {Email: "kim@acme.example"},
		},
		First: map[Mark]map[RecipientKey]int64{
			MarkOpened: {was: 20, jo: 30, kim: 40}, MarkReplied: {dotted: 50}, MarkClicked: {jo: 60, dotted: 55},
		},
		Clicks:    map[RecipientKey][]Clicked{was: {link(1, 1)}, jo: {link(2, 2)}},
		Overrides: map[RecipientKey]map[ID]Override{was: {ID{1}: {Is: Machine}, ID{2}: {Is: Machine}}, jo: {ID{2}: {Is: Human}}},
		Senders:   map[RecipientKey][]string{was: {"ana", "bo"}, jo: {"bo", "cy"}},
	}
	s.Rekey()
	require.Equal(t, map[RecipientKey]Person{jo: {Email: today, Name: "Jo"}, kim: {Email: "kim@acme.example"}}, s.Recipients)
	require.Equal(t, map[Mark]map[RecipientKey]int64{
		MarkOpened: {jo: 20, kim: 40}, MarkReplied: {jo: 50}, MarkClicked: {jo: 55},
	}, s.First)
	require.Equal(t, map[RecipientKey][]Clicked{jo: {link(1, 1), link(2, 2)}}, s.Clicks)
	require.Equal(t, map[RecipientKey]map[ID]Override{jo: {ID{1}: {Is: Machine}, ID{2}: {Is: Human}}}, s.Overrides)
	require.Equal(t, map[RecipientKey][]string{jo: {"ana", "bo", "cy"}}, s.Senders)
	again := s.Clone()
	again.Rekey()
	require.Equal(t, s, again, "once is enough")

	unsent := State{First: map[Mark]map[RecipientKey]int64{MarkOpened: {was: 20}}}
	unsent.Rekey()
	require.True(t, unsent.Names(was), "the key alone does not say whose it is")
	require.Subset(t, KeysOf(today), []RecipientKey{jo, was, dotted})
	require.Equal(t, jo, KeysOf(old)[0])
}
