package address

import (
	"net/url"
	"slices"
	"strings"
)

// Forms are the ways in which a text may write an address, in lower case: its domain in
// Unicode or ASCII, as it is, in a form, and in JSON.
func Forms(email string) []string {
	var forms []string
	for _, form := range []string{Fold(email), strings.ToLower(ASCII(Fold(email)))} {
		forms = append(forms, form, strings.ToLower(url.QueryEscape(form)), strings.ReplaceAll(form, `"`, `\"`))
	}
	slices.Sort(forms)
	return slices.Compact(forms)
}

// Names reports whether a text, in any case of letters, holds one of the forms.
func Names(text string, forms []string) bool {
	text = strings.ToLower(text)
	return slices.ContainsFunc(forms, func(form string) bool { return strings.Contains(text, form) })
}

// Stored are the texts that may stand for an address in events that were stored before
// there was one: its domain in Unicode or ASCII, with a dot at its end or without.
func Stored(email string) []string {
	email = Fold(email)
	ascii := strings.ToLower(ASCII(email))
	forms := []string{email, ascii, email + ".", ascii + "."}
	slices.Sort(forms)
	return slices.Compact(forms)
}
