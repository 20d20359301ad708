package forward

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"tidings/deliver"
	"tidings/event"
	"tidings/feed"
	"tidings/notify"
)

const (
	// digestType is the type of a delivery that tells of several decisions.
	digestType = "digest"
	// digestLines is how many it names, and digestBack how far back those of one window
	// may have been decided.
	digestLines = 50
	digestBack  = 8 * 24 * time.Hour
	digestPage  = 100
	// digestMost is how many it looks at, the newest: it says that there are more.
	digestMost = 1000
)

// Notes sends what people are told by mail, by chat and to their devices: it makes deliveries of decisions,
// and renders them. Deliveries that are nobody's are rendered by Others.
type Notes struct {
	Decisions notify.Log
	Books     *notify.Books
	People    notify.People
	Events    Events
	Names     Names
	Outbox    deliver.Outbox
	Others    deliver.Source
	// Devices are those that people are pushed to; nil for none.
	Devices Devices
	// Page is how people reach the page; "" leaves links out.
	Page string
	// Wake is called when something was added.
	Wake  func()
	Clock func() time.Time
	// Settle is how long opens and clicks wait.
	Settle time.Duration
	// Unsubscribe makes the address that ends a person's mails of a kind; nil, or "", where
	// there is none.
	Unsubscribe func(ctx context.Context, workspace, user string, kind notify.Kind) (string, error)
}

// Deliver makes the deliveries of decisions. Those of one window are one delivery.
func (n *Notes) Deliver(ctx context.Context, decisions []notify.Decision) error {
	var made, anew []deliver.Delivery
	for _, d := range decisions {
		for _, channel := range d.Channels {
			endpoints, err := n.endpoints(ctx, d, channel)
			if err != nil {
				return err
			}
			for _, endpoint := range endpoints {
				one := n.deliveryOf(d, channel, endpoint)
				if made = append(made, one); d.Version > 1 && one.Window == 0 {
					anew = append(anew, one)
				}
			}
		}
	}
	if len(made) == 0 {
		return nil
	}
	if err := n.Outbox.Add(ctx, made); err != nil {
		return fmt.Errorf("deliver notifications: %w", err)
	}
	if err := n.retell(ctx, anew); err != nil {
		return err
	}
	if n.Wake != nil {
		n.Wake()
	}
	return nil
}

// endpoints are where a channel leads for a person.
func (n *Notes) endpoints(ctx context.Context, d notify.Decision, channel notify.Channel) ([]string, error) {
	switch channel {
	case notify.Push:
		return n.devices(ctx, d)
	case notify.Mail, notify.Chat:
	default:
		return nil, nil
	}
	book, err := n.Books.Load(ctx, d.Workspace)
	if err != nil {
		return nil, fmt.Errorf("deliver notifications: %w", err)
	}
	settings := book.Settings[d.User]
	switch {
	case channel == notify.Chat && settings.Chat == "":
		return nil, nil
	case channel == notify.Chat:
		return []string{settings.Chat}, nil
	case time.Unix(d.Window, 0).After(n.Clock()) && !settings.Mails(notify.KindDigest):
		return nil, nil // Alone it would have left with the others.
	}
	return []string{deliver.MailOf(d.User)}, nil
}

// devices are the endpoints of a person's devices.
func (n *Notes) devices(ctx context.Context, d notify.Decision) ([]string, error) {
	if n.Devices == nil {
		return nil, nil
	}
	all, err := n.Devices.Of(ctx, d.Workspace, d.User)
	if err != nil {
		return nil, fmt.Errorf("deliver notifications: %w", err)
	}
	endpoints := make([]string, len(all))
	for i, device := range all {
		endpoints[i] = deliver.PushTo(d.User, device.ID)
	}
	return endpoints, nil
}

func (n *Notes) deliveryOf(d notify.Decision, channel notify.Channel, endpoint string) deliver.Delivery {
	now := n.Clock()
	made := deliver.Delivery{
		ID: noteID(d, channel, endpoint), Workspace: d.Workspace, Endpoint: endpoint, Event: d.Event, Message: d.Message, Type: string(d.Kind),
		Reason: reasonOf(d), For: d.User, Decision: d.ID, At: d.At, Due: now.UnixMilli(), State: deliver.Waiting,
	}
	window := d.Window
	if channel == notify.Push {
		window = d.PushWindow
	}
	switch {
	case time.Unix(window, 0).After(now):
		made.ID = deliver.ID(d.Workspace, "window", fmt.Sprintf("%s|%d", d.User, window), through(channel, endpoint))
		made.Event, made.Message, made.Decision, made.Type, made.Reason = event.ID{}, "", "", digestType, digestType
		made.Window, made.Due = window, window*1000
	case d.Kind == "open" || d.Kind == "click":
		made.Due = now.Add(n.Settle).UnixMilli()
	}
	return made
}

// through names a way to a person: a device is one of several.
func through(channel notify.Channel, endpoint string) string {
	if channel == notify.Push {
		return endpoint
	}
	return string(channel)
}

func noteID(d notify.Decision, channel notify.Channel, endpoint string) string {
	return deliver.ID(d.Workspace, d.ID, "", through(channel, endpoint))
}

func reasonOf(d notify.Decision) string {
	if len(d.Reasons) == 0 {
		return ""
	}
	return string(d.Reasons[0])
}

// Cancel takes back what was not delivered yet of a decision, and tells devices that it is
// withdrawn. What is told with others is left out when that is rendered.
func (n *Notes) Cancel(ctx context.Context, d notify.Decision) error {
	devices, err := n.devices(ctx, d)
	if err != nil {
		return err
	}
	ids := []string{noteID(d, notify.Mail, ""), noteID(d, notify.Chat, "")}
	for _, endpoint := range devices {
		ids = append(ids, noteID(d, notify.Push, endpoint))
	}
	now := n.Clock().UnixMilli()
	_, err = n.Outbox.Change(ctx, d.Workspace, deliver.Filter{IDs: ids}, func(one *deliver.Delivery) bool {
		if one.State != deliver.Waiting {
			return false
		}
		why := withdrawnWhy
		if one.Lease > now {
			why = withdrawnLate
		}
		one.State, one.Why, one.Lease, one.Ended = deliver.Cancelled, why, 0, now
		return true
	})
	if err != nil {
		return fmt.Errorf("take deliveries back: %w", err)
	}
	if len(devices) == 0 {
		return nil
	}
	return n.withdraw(ctx, d, devices, ids)
}

// withdrawnWhy is why a delivery is cancelled, and withdrawnLate where a try was under way.
const (
	withdrawnWhy  = "it was withdrawn: a machine did it"
	withdrawnLate = withdrawnWhy + "; a try was under way"
)

// withdraw tells those devices that a decision is withdrawn which it has reached, or may
// have: by a try that failed, or was under way when it was cancelled. It comes under the same topic, so
// that a push service keeps one of the two for a device that is away.
func (n *Notes) withdraw(ctx context.Context, d notify.Decision, devices, ids []string) error {
	sent, _, err := n.Outbox.List(ctx, d.Workspace, deliver.Filter{IDs: ids}, "", len(ids))
	if err != nil {
		return fmt.Errorf("take deliveries back: %w", err)
	}
	now := n.Clock().UnixMilli()
	var back []deliver.Delivery
	for _, one := range sent {
		never := one.State == deliver.Cancelled && one.Tried == 0 && one.Why != withdrawnLate
		if !slices.Contains(devices, one.Endpoint) || one.State == deliver.Failed || never {
			continue
		}
		taken := one
		taken.ID, taken.Type = deliver.ID(d.Workspace, d.ID, deliver.WithdrawnType, one.Endpoint), deliver.WithdrawnType
		taken.At, taken.Due, taken.Lease, taken.State, taken.Ended, taken.Why = now, now, 0, deliver.Waiting, 0, ""
		taken.Tried, taken.Begun, taken.Tries, taken.Replay = 0, 0, nil, false
		back = append(back, taken)
	}
	if len(back) == 0 {
		return nil
	}
	if err := n.Outbox.Add(ctx, back); err != nil {
		return fmt.Errorf("tell devices what is withdrawn: %w", err)
	}
	if err := n.wait(ctx, back, func(one deliver.Delivery) bool {
		return one.State == deliver.Cancelled && strings.HasPrefix(one.Why, toldAfterAll)
	}); err != nil {
		return err
	}
	if n.Wake != nil {
		n.Wake()
	}
	return nil
}

// Content renders a delivery as of now: what was withdrawn, erased or may not be seen any
// more is not told.
func (n *Notes) Content(ctx context.Context, d deliver.Delivery) (deliver.Content, string, error) {
	if d.For == "" {
		return n.Others.Content(ctx, d)
	}
	if d.Type == deliver.WithdrawnType {
		return n.withdrawn(ctx, d)
	}
	unsubscribe, why, err := n.subscribed(ctx, d)
	if err != nil || why != "" {
		return deliver.Content{}, why, err
	}
	render := n.one
	if d.Window != 0 {
		render = n.digest
	}
	content, why, err := render(ctx, d)
	content.Unsubscribe = unsubscribe
	return content, why, err
}

// subscribed says why a mail is not wanted any more, or how to say so.
func (n *Notes) subscribed(ctx context.Context, d deliver.Delivery) (unsubscribe, why string, err error) {
	kind := notify.Kind(d.Type)
	if d.Endpoint != deliver.MailOf(d.For) || !kind.Stops() {
		return "", "", nil
	}
	settings, err := n.Books.Settings(ctx, d.Workspace, d.For)
	if err != nil {
		return "", "", err
	}
	if !settings.Mails(kind) {
		return "", "they unsubscribed from mails of this kind", nil
	}
	if n.Unsubscribe != nil {
		unsubscribe, err = n.Unsubscribe(ctx, d.Workspace, d.For, kind)
	}
	return unsubscribe, "", err
}

// one renders a delivery that tells of one decision.
func (n *Notes) one(ctx context.Context, d deliver.Delivery) (deliver.Content, string, error) {
	page, _, err := n.Decisions.Page(ctx, d.Workspace, notify.Filter{ID: d.Decision}, "", 1)
	if err != nil {
		return deliver.Content{}, "", err
	}
	told, err := n.told(ctx, d, page)
	if err != nil || len(told) == 0 {
		return deliver.Content{}, "it was withdrawn or erased, or may not be seen any more", err
	}
	one := told[0]
	if one.Read && deliver.IsDevice(d.Endpoint) {
		return deliver.Content{}, "it was seen in the page meanwhile", nil
	}
	content := deliver.Content{
		Sentence: one.sentence, Time: time.UnixMilli(d.At).UTC(), Link: n.link(one.Decision), Why: one.Found + " Change what you are told in Settings.",
	}
	switch one.Kind {
	case notify.KindKey, notify.KindAccess: // the sentence says it all
		content.Why = "You look after the workspace, or it is your key."
	case notify.KindReport:
		if err := n.report(ctx, one.Decision, &content); err != nil {
			return deliver.Content{}, "", err
		}
	}
	if one.event != nil {
		names, err := n.Names.Names(ctx, d.Workspace)
		if err != nil {
			return deliver.Content{}, "", err
		}
		content.Subject, content.Owner = one.event.Subject, names[one.event.User]
		if content.Item, err = json.Marshal(feed.ItemOf(*one.event, nil, func(user string) string { return names[user] })); err != nil {
			return deliver.Content{}, "", fmt.Errorf("render an event: %w", err)
		}
	}
	return content, "", nil
}

// withdrawn says on a device that what it was told is not so. One that was decided anew
// meanwhile is told again instead.
func (n *Notes) withdrawn(ctx context.Context, d deliver.Delivery) (deliver.Content, string, error) {
	page, _, err := n.Decisions.Page(ctx, d.Workspace, notify.Filter{ID: d.Decision}, "", 1)
	if err != nil {
		return deliver.Content{}, "", err
	}
	if len(page) == 0 || page[0].Outcome != notify.Withdrawn {
		return deliver.Content{}, toldAfterAll + ", or was erased", nil
	}
	return deliver.Content{Sentence: "Taken back: a machine did it", Time: time.UnixMilli(d.At).UTC(), Why: page[0].Found}, "", nil
}

func (n *Notes) link(d notify.Decision) string {
	switch {
	case n.Page == "":
		return ""
	case d.Message == "":
		return n.Page + "/notifications"
	}
	return n.Page + deliver.PathOf(d.Message)
}

// digest renders all of a window that was not seen meanwhile.
func (n *Notes) digest(ctx context.Context, d deliver.Delivery) (deliver.Content, string, error) {
	oldest := time.Unix(d.Window, 0).Add(-digestBack).UnixMilli()
	var held []notify.Decision
	for after, more := "", true; more; {
		page, next, err := n.Decisions.Page(ctx, d.Workspace, notify.Filter{User: d.For}, after, digestPage)
		if err != nil {
			return deliver.Content{}, "", err
		}
		for _, one := range page {
			if windowOf(one, d) == d.Window && !one.Read && one.Tells() {
				held = append(held, one)
			}
		}
		after, more = next, len(held) < digestMost && next != "" && page[len(page)-1].At >= oldest
	}
	// Whoever changed their hours, or their zone as they fly, is not woken by those of before.
	settings, err := n.Books.Settings(ctx, d.Workspace, d.For)
	if err != nil {
		return deliver.Content{}, "", err
	}
	told, err := n.told(ctx, d, held)
	if err == nil {
		told, err = n.withoutMuted(ctx, d.Workspace, settings, told)
	}
	if err != nil || len(told) == 0 {
		return deliver.Content{}, "everything was seen in the page meanwhile, muted or withdrawn", err
	}
	content := deliver.Content{
		Later:    settings.HeldUntil(n.Clock(), eventsOf(told)),
		Sentence: fmt.Sprintf("%d notifications", len(told)), Time: time.Unix(d.Window, 0).UTC(),
		Why: "They were held for your quiet hours or your digest. Change that in Settings.",
	}
	switch {
	case len(held) >= digestMost:
		content.Sentence = fmt.Sprintf("The newest %d notifications", len(told))
	case len(told) == 1:
		content.Sentence = "One notification"
	}
	if n.Page != "" {
		content.Link = n.Page + "/"
	}
	slices.Reverse(told) // as it happened
	for i, one := range told {
		if i == digestLines {
			content.Lines = append(content.Lines, fmt.Sprintf("and %d more", len(told)-i))
			break
		}
		content.Lines = append(content.Lines, one.sentence)
	}
	return content, "", nil
}

// windowOf is with what a decision leaves by the way of a delivery.
func windowOf(one notify.Decision, d deliver.Delivery) int64 {
	if deliver.IsDevice(d.Endpoint) {
		return one.PushWindow
	}
	return one.Window
}

// toldOne is a decision with what it says.
type toldOne struct {
	notify.Decision
	event    *event.Event
	sentence string
}

// withoutMuted leaves out what a person has muted since it was held.
func (n *Notes) withoutMuted(ctx context.Context, workspace string, settings notify.Settings, told []toldOne) ([]toldOne, error) {
	if len(settings.Mutes) == 0 {
		return told, nil
	}
	defaults, _, err := n.Books.Defaults(ctx, workspace)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(told, func(one toldOne) bool {
		var e event.Event // of none, what is muted is the kind or everything
		if one.event != nil {
			e = *one.event
		}
		return defaults.Muted(settings, e, one.Kind, n.Clock())
	}), nil
}

func eventsOf(told []toldOne) (events []event.Event) {
	for _, one := range told {
		if one.event != nil {
			events = append(events, *one.event)
		}
	}
	return events
}

// told are those of decisions that their person may still be told, in order.
func (n *Notes) told(ctx context.Context, d deliver.Delivery, decisions []notify.Decision) ([]toldOne, error) {
	var ids []event.ID
	for _, one := range decisions {
		if !one.Event.IsZero() {
			ids = append(ids, one.Event)
		}
	}
	found, err := n.Events.Get(ctx, d.Workspace, ids)
	if err != nil {
		return nil, err
	}
	visible, err := n.People.Visible(ctx, d.Workspace, d.For)
	if err != nil && !errors.Is(err, event.ErrNotFound) {
		return nil, fmt.Errorf("ask what %s may see: %w", d.For, err)
	}
	if len(visible) == 0 {
		return nil, nil
	}
	byID := make(map[event.ID]*event.Event, len(found))
	for i := range found {
		byID[found[i].ID] = &found[i]
	}
	var told []toldOne
	for _, one := range decisions {
		e := byID[one.Event]
		switch {
		case !one.Tells() || one.Shadow:
		case one.Event.IsZero():
			told = append(told, toldOne{one, nil, one.Found})
		case e == nil || !slices.Contains(visible, e.User):
		case e.Type == event.Send: // what a rule found of a send
			told = append(told, toldOne{one, e, "“" + e.Subject + "”: " + one.Found})
		default:
			told = append(told, toldOne{one, e, Sentence(*e)})
		}
	}
	return told, nil
}
