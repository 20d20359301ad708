// Package mailbox reads mail that is already there: a file or a directory in,
// event inputs out, one record at a time and in constant memory.
//
// # Formats
//
//	mbox        From_ lines; mboxo, mboxrd and mboxcl; streamed
//	maildir     a directory with cur and new, or a directory of .eml files
//	eml         one message
//	ndjson      one event a line, as POST /v1/events takes it
//	jsonl-mail  one mail a line: date, from, to[], cc[], subject, body,
//	            message_id, in_reply_to; other fields are ignored
//
// Each file may be gzipped; its first bytes tell, not its name.
//
// # What a mail becomes
//
// A mail is a send of its sender, and with In-Reply-To also a reply to that
// message, whether or not the original is known. "key" is the Message-ID
// without its angle brackets and otherwise untouched.
//
//	field       send                             reply
//	id          mail:<key>:send                  mail:<key>:reply
//	            mail:<key>:send:2 … after each
//	            1,000 recipients
//	message     key                              first id of In-Reply-To
//	time        Date, whole seconds              the same
//	user        Options.User, or the sender's    empty: the owner of the original,
//	            address, lower-cased             whom the indexer looks up
//	recipients  To, Cc and Bcc, once an address  –
//	recipient   –                                the sender
//	subject     Subject, decoded                 the same
//	body        first text/plain part, or the    the same
//	            text of the first text/html
//	source      import                           import
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
