package event

// Trigger is something that happened of which people may want to be told: an event
// that the index holds now, or one that was corrected.
type Trigger struct {
	// Kind is AnnounceEvent or AnnounceChanged.
	Kind string `json:"kind"`
	// Event is the judged event, without its raw evidence and without what a reply quotes.
	Event Event `json:"event"`
	// Trace travels beside it.
	Trace string `json:"-"`
}

// TriggerOf makes the trigger of an announcement; false where nobody is told of it.
// Sends and deliveries are what people do or expect.
func TriggerOf(a Announcement) (Trigger, bool) {
	if a.Event == nil || (a.Kind != AnnounceEvent && a.Kind != AnnounceChanged) {
		return Trigger{}, false
	}
	if a.Event.Type == Send || a.Event.Type == Delivery {
		return Trigger{}, false
	}
	t := Trigger{Kind: a.Kind, Event: *a.Event, Trace: a.Trace}
	t.Event.Client = nil
	if t.Event.OwnWords != "" {
		t.Event.Body = "" // searches and pages have the own words
	}
	return t, true
}
