// Package mailbox reads mail that is already there: a file or a directory in,
// event inputs out, one record at a time and in constant memory.
//
// # Formats
//
//	mbox        From_ lines; mboxo, mboxrd and mboxcl; streamed
//	maildir     a directory with cur and new, folders below it, a directory of
//	            .eml or .emlx files, MH, or one file a mail in named folders
//	eml         one message, also Apple Mail's .emlx
//	ndjson      one event a line, as POST /v1/events takes it
//	jsonl-mail  one mail a line: date, from, to[], cc[], subject, body,
//	            message_id, in_reply_to; other fields are ignored
//
// Each file may be compressed with gzip, bzip2 or zstd, or be a zip of such files;
// its first bytes tell, not its name.
//
// # What a mail becomes
//
// Read says what a mail is, for import and for inbound hooks. "key" is the
// Message-ID without its angle brackets and otherwise untouched; "about" is the
// message that a mail answers or returns.
//
//	kind        told by                                   event
//	sent        its author is internal, or its folder     send; reply where it answers another's
//	reply       In-Reply-To, else the last known of       reply on about
//	            References, from somebody else
//	report      RFC 3464, or a mail system's own words    bounce (5.x.x hard, 4.x.x soft), delivery,
//	            (plainbounce.go)                          or custom "deferred" of each recipient
//	automatic   RFC 3834 and what was used before it      custom "answered-by-machine"
//	receipt     RFC 8098                                  open, by a person
//	complaint   RFC 5965                                  complaint
//	invitation  iTIP REPLY and COUNTER, RFC 5546          meeting
//	list        List-Id, Precedence: bulk or list         none
//	received    any other mail from outside               none
//	draft, trash, spam, chat  folder, label or flag       none
//
// A send has the event id mail:<key>:send, and mail:<key>:send:2 and so on after
// each 1,000 recipients; other events have a suffix of their own. Its user is the
// one of Owner.Users whose address its author has, else the address. Times are
// the mail's Date in whole seconds, Received or the From_ line where it has none.
//
// Without a usable Message-ID the key is a SHA-256 of date, sender, recipients
// and subject; an id that would pass the bound of an event's key holds the
// SHA-256 of the Message-ID instead. The same mail therefore always has the
// same ids, and importing it twice is harmless.
//
// # What is refused
//
// A record that cannot become events is a *Refusal, with where it is and a
// Code; the reader goes on behind it. See the Codes for what is refused.
// Addresses that are none are dropped; the mail is refused when none is left.
package mailbox
