// Package event is the vocabulary of Tidings: what happened to a mail, to whom
// and when, how that is named, and what is known of a message's recipients.
//
// Inputs come in as an Input, are validated with an error that names the field,
// and become an Event whose ID and Week are pure functions of it. Changes made
// by events to a message are commutative and idempotent (see State), so that
// any order and any repetition of the same events ends in the same state.
//
// Beside the standard library it imports packages address and quotes and the normal
// forms of Unicode; everything else imports it.
package event
