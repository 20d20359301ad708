// Package quotes tells a reply's own words from what it quotes and from its
// signature.
//
// # How
//
// Mail programs mark what they quote: by ">" before each line, by a line that says
// who wrote it ("On Tuesday Ana wrote:"), by a copy of the header, or by a ruler.
// Signatures stand behind "-- ", are made by a phone ("Sent from my iPhone"), or
// follow a closing ("Best regards"). Own is what is left:
//
//	quotes.Own("Yes.\n\nOn Tue, Nov 10, Ana <ana@acme.example> wrote:\n> Shall we?") // "Yes."
//
// It knows the words of English, German, French and a dozen other languages. What
// it cannot tell is somebody's own.
package quotes
