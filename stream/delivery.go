package stream

import (
	"tidings/event"
	"tidings/tracing"
)

// delivery is one event that was given out. It implements indexer.Delivery.
type delivery struct {
	pack *pack
	// data is the event's JSON, and name its id even where that cannot be decoded.
	data []byte
	name string
	// repeated is known when it is given out.
	repeated bool
}

// Event decodes the event and checks that it is the one that was published
// under this name. What it returns holds nothing of the payload.
func (d *delivery) Event() (event.Event, error) {
	var e event.Event
	if err := e.DecodeJSON(d.data); err != nil {
		return event.Event{}, event.Invalid("event", "is not readable")
	}
	_, workspace, err := splitEventSubject(d.pack.message.Subject())
	if err != nil || workspace != e.Workspace || e.ID.String() != d.name {
		return event.Event{}, event.Invalid("event", "is not the one that was published here")
	}
	return e, nil
}

// Lane is the one that the event was given out from.
func (d *delivery) Lane() event.Lane { return d.pack.lane }

// Trace is the trace that the event was published in, or empty.
func (d *delivery) Trace() string {
	if given := d.pack.message.Headers()[tracing.Header]; len(given) > 0 {
		return given[0]
	}
	return ""
}

// Repeated reports whether the event was given out before, or may have been:
// the server forgets that when it is killed.
func (d *delivery) Repeated() bool { return d.repeated }

// Ack says that the event is done with, without waiting for the server.
func (d *delivery) Ack() error {
	d.pack.stream.counts.acked.Add(1)
	return d.end("acknowledge", d.pack.done(""))
}

// Extend lets AckWait begin anew, without waiting for the server.
func (d *delivery) Extend() error { return d.end("extend", d.pack.extend()) }

func (d *delivery) end(op string, err error) error {
	if err != nil {
		return unavailable(op, err)
	}
	return nil
}
