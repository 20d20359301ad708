package deliver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"tidings/deliver/webpush"
	"tidings/event"
	"tidings/secret"
)

// Kinds of records of devices. Those of a user are listed under kindDevice with the user
// behind it; KindDevices is what their subscriptions are sealed for. Outside of any
// workspace are where each subscription is, and the key for push services.
const (
	kindDevice  = "push-device/"
	KindDevices = "push-devices"
	kindDeviced = "push-subscription"
	KindPushKey = "push-key"
	thePushKey  = "key"
)

const (
	// MaxDevices is how many a person may have.
	MaxDevices = 10
	// deviceLife is how long a device is told whose browser has not come by.
	deviceLife = 90 * 24 * time.Hour
	// seenEvery is how often it is noted that it has.
	seenEvery = 24 * time.Hour
)

// Device is a browser that asked to be pushed to.
type Device struct {
	ID   string `json:"id"`
	User string `json:"user"`
	// Name is what its browser says it is, and Host whose push service it uses.
	Name string `json:"name"`
	Host string `json:"host"`
	// Session is the hash of the session, or the key, that registered it: it ends with that.
	Session string    `json:"session"`
	Created time.Time `json:"created"`
	Seen    time.Time `json:"seen"`
	// Sealed is the subscription.
	Sealed string `json:"sealed"`
}

// subscription is what is sealed of a device: it is all that it takes to push to it.
type subscription struct {
	Endpoint string       `json:"endpoint"`
	Keys     webpush.Keys `json:"keys"`
}

// whose says where a subscription is: a browser has one, for whoever uses it last.
type whose struct {
	Workspace string `json:"w"`
	User      string `json:"user"`
}

// Devices keeps the browsers that people are pushed to.
type Devices struct {
	records Records
	box     *secret.Box
	// Subject is whom push services may turn to; see webpush.Subject.
	Subject string
	Clock   func() time.Time
	// Changed is told whether somebody has devices after one came or went; nil for nobody.
	Changed func(ctx context.Context, workspace, user string, has bool) error
}

var errManyDevices = fmt.Errorf("a person has at most %d devices: %w", MaxDevices, event.ErrConflict)

// DeviceID is how the device of a subscription is called.
func DeviceID(endpoint string) string { return ID("", endpoint, "", "push") }

// Key is by which this installation is known to push services. It is made when it is
// needed first, and anew where the one before cannot be opened any more: browsers
// subscribe again when they come by.
func (v *Devices) Key(ctx context.Context) (*webpush.Key, error) {
	for range 3 {
		old, key, err := v.readKey(ctx)
		if err == nil {
			return key, nil
		}
		if !errors.Is(err, event.ErrNotFound) && !errors.Is(err, secret.ErrLocked) {
			return nil, err
		}
		if key, err = webpush.NewKey(); err != nil {
			return nil, err
		}
		raw, err := key.Bytes()
		if err != nil {
			return nil, fmt.Errorf("keep the key for push services: %w", err)
		}
		sealed, err := v.box.Seal(ctx, noWorkspace, KindPushKey, thePushKey, raw)
		if err != nil {
			return nil, fmt.Errorf("keep the key for push services: %w", err)
		}
		doc, err := json.Marshal(sealed)
		if err != nil {
			return nil, fmt.Errorf("keep the key for push services: %w", err)
		}
		err = v.records.Swap(ctx, noWorkspace, KindPushKey, thePushKey, old, doc)
		if err == nil {
			return key, nil
		}
		if !errors.Is(err, event.ErrConflict) { // another process has made one
			return nil, fmt.Errorf("keep the key for push services: %w", err)
		}
	}
	return nil, fmt.Errorf("keep the key for push services: %w", event.ErrConflict)
}

func (v *Devices) readKey(ctx context.Context) (doc json.RawMessage, key *webpush.Key, err error) {
	doc, err = v.records.Get(ctx, noWorkspace, KindPushKey, thePushKey)
	if err != nil {
		return nil, nil, fmt.Errorf("find the key for push services: %w", err)
	}
	var sealed string
	if err := json.Unmarshal(doc, &sealed); err != nil {
		return doc, nil, fmt.Errorf("read the key for push services: %w", err)
	}
	raw, err := v.box.OpenText(ctx, noWorkspace, KindPushKey, thePushKey, sealed)
	if err != nil {
		return doc, nil, fmt.Errorf("open the key for push services: %w", err)
	}
	key, err = webpush.ParseKey(raw)
	return doc, key, err
}

// Put registers a device, or says that it came by. event.ErrConflict says that its user
// has MaxDevices; of several that come at once for the last place, all may be refused.
func (v *Devices) Put(ctx context.Context, workspace string, d Device, endpoint string, keys webpush.Keys) (Device, error) {
	at, err := url.Parse(endpoint)
	if err != nil {
		return d, event.Invalid("endpoint", "is not an address")
	}
	if _, err := v.Key(ctx); err != nil { // nothing can be pushed without one
		return d, err
	}
	now := v.Clock().UTC().Truncate(time.Second)
	d.ID, d.Host, d.Created, d.Seen = DeviceID(endpoint), at.Host, now, now
	all, err := v.Of(ctx, workspace, d.User)
	if err != nil {
		return d, err
	}
	known := slices.IndexFunc(all, func(one Device) bool { return one.ID == d.ID })
	switch {
	case known >= 0:
		d.Created = all[known].Created
	case len(all) >= MaxDevices:
		return d, errManyDevices
	}
	if err := v.leave(ctx, workspace, d); err != nil {
		return d, err
	}
	plain, err := json.Marshal(subscription{endpoint, keys})
	if err == nil {
		d.Sealed, err = v.box.Seal(ctx, workspace, KindDevices, d.User, plain)
	}
	if err != nil {
		return d, fmt.Errorf("keep a device: %w", err)
	}
	if err := v.put(ctx, noWorkspace, kindDeviced, d.ID, whose{workspace, d.User}); err != nil {
		return d, err
	}
	if err := v.put(ctx, workspace, kindDevice+d.User, d.ID, d); err != nil {
		return d, err
	}
	if known < 0 { // others may have registered since they were counted
		if all, err = v.Of(ctx, workspace, d.User); err == nil && len(all) > MaxDevices {
			err = errors.Join(errManyDevices, v.Drop(ctx, workspace, d.User, d.ID))
		}
		if err != nil {
			return d, err
		}
	}
	// It counts for whoever is told whether it came or only came by: it may be said again.
	return d, v.changed(ctx, workspace, d.User, true)
}

func (v *Devices) put(ctx context.Context, workspace, kind, id string, value any) error {
	doc, err := json.Marshal(value)
	if err == nil {
		err = v.records.Put(ctx, workspace, kind, id, doc)
	}
	if err != nil {
		return fmt.Errorf("keep a device: %w", err)
	}
	return nil
}

// leave takes a subscription from who had it before: the browser is somebody else's now.
func (v *Devices) leave(ctx context.Context, workspace string, d Device) error {
	doc, err := v.records.Get(ctx, noWorkspace, kindDeviced, d.ID)
	if errors.Is(err, event.ErrNotFound) {
		return nil
	}
	var before whose
	if err == nil {
		err = json.Unmarshal(doc, &before)
	}
	if err != nil {
		return fmt.Errorf("find whose a device was: %w", err)
	}
	if before == (whose{workspace, d.User}) {
		return nil
	}
	return v.Drop(ctx, before.Workspace, before.User, d.ID)
}

// Of are a user's devices, by id. Those that have not come by for long are left out, and
// let go.
func (v *Devices) Of(ctx context.Context, workspace, user string) ([]Device, error) {
	records, err := v.records.List(ctx, workspace, kindDevice+user)
	if err != nil {
		return nil, fmt.Errorf("list devices: %w", err)
	}
	oldest := v.Clock().Add(-deviceLife)
	all := make([]Device, 0, len(records))
	for _, record := range records {
		var d Device
		if err := json.Unmarshal(record.Doc, &d); err != nil {
			return nil, fmt.Errorf("list devices: %w", err)
		}
		if d.Seen.Before(oldest) {
			if err := v.drop(ctx, workspace, user, d.ID); err != nil {
				return nil, err
			}
			continue
		}
		all = append(all, d)
	}
	if len(all) == 0 && len(records) > 0 {
		return all, v.changed(ctx, workspace, user, false)
	}
	return all, nil
}

// Drop lets a device go; there need not be one.
func (v *Devices) Drop(ctx context.Context, workspace, user, id string) error {
	if err := v.drop(ctx, workspace, user, id); err != nil {
		return err
	}
	rest, err := v.Of(ctx, workspace, user)
	if err != nil || len(rest) > 0 {
		return err
	}
	if err := v.box.Forget(ctx, workspace, KindDevices, user); err != nil {
		return fmt.Errorf("let a device go: %w", err)
	}
	return v.changed(ctx, workspace, user, false)
}

func (v *Devices) drop(ctx context.Context, workspace, user, id string) error {
	doc, err := v.records.Get(ctx, noWorkspace, kindDeviced, id)
	if err != nil && !errors.Is(err, event.ErrNotFound) {
		return fmt.Errorf("let a device go: %w", err)
	}
	var now whose
	if err == nil && json.Unmarshal(doc, &now) == nil && now == (whose{workspace, user}) {
		if err := v.records.Delete(ctx, noWorkspace, kindDeviced, id); err != nil {
			return fmt.Errorf("let a device go: %w", err)
		}
	}
	err = v.records.Delete(ctx, workspace, kindDevice+user, id)
	if err == nil {
		err = v.records.Delete(ctx, workspace, kindHealth, PushTo(user, id))
	}
	if err != nil {
		return fmt.Errorf("let a device go: %w", err)
	}
	return nil
}

// DropOf lets those of a user's devices go that a condition chooses.
func (v *Devices) DropOf(ctx context.Context, workspace, user string, which func(Device) bool) error {
	all, err := v.Of(ctx, workspace, user)
	if err != nil {
		return err
	}
	for _, d := range all {
		if which(d) {
			if err := v.Drop(ctx, workspace, user, d.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

func (v *Devices) changed(ctx context.Context, workspace, user string, has bool) error {
	if v.Changed == nil {
		return nil
	}
	return v.Changed(ctx, workspace, user, has)
}

// endpoint opens a device for the worker.
func (v *Devices) endpoint(ctx context.Context, of EndpointKey, user, id string) (Endpoint, error) {
	doc, err := v.records.Get(ctx, of.Workspace, kindDevice+user, id)
	var d Device
	if err == nil {
		err = json.Unmarshal(doc, &d)
	}
	if err != nil {
		return Endpoint{}, fmt.Errorf("find a device: %w", err)
	}
	plain, err := v.box.OpenText(ctx, of.Workspace, KindDevices, user, d.Sealed)
	if errors.Is(err, secret.ErrLocked) {
		return Endpoint{}, fmt.Errorf("the key of a subscription is gone: %w", event.ErrNotFound) // its browser comes by again
	}
	if err != nil {
		return Endpoint{}, fmt.Errorf("open the subscription of a device: %w", err)
	}
	var s subscription
	if err := json.Unmarshal(plain, &s); err != nil {
		return Endpoint{}, fmt.Errorf("open the subscription of a device: %w", err)
	}
	_, key, err := v.readKey(ctx)
	if errors.Is(err, secret.ErrLocked) {
		return Endpoint{}, fmt.Errorf("the key for push services is gone: %w", event.ErrNotFound)
	}
	if err != nil {
		return Endpoint{}, err
	}
	return Endpoint{EndpointKey: of, Kind: Push, URL: s.Endpoint, Enabled: true, Target: PushTarget{Keys: s.Keys, Key: key, Subject: v.Subject}}, nil
}

// CameBy notes that a device did.
func (v *Devices) CameBy(ctx context.Context, workspace string, d *Device) error {
	d.Seen = v.Clock().UTC().Truncate(time.Second)
	return v.put(ctx, workspace, kindDevice+d.User, d.ID, d)
}

// Due reports whether it is time to note that a device came by.
func (d Device) Due(now time.Time) bool { return now.Sub(d.Seen) >= seenEvery }

// reseal seals a user's devices again. Their note is of all of them.
func (v *Devices) reseal(ctx context.Context, workspace, user string) error {
	all, err := v.Of(ctx, workspace, user)
	if err != nil {
		return err
	}
	for _, d := range all {
		plain, err := v.box.OpenText(ctx, workspace, KindDevices, user, d.Sealed)
		if errors.Is(err, secret.ErrLocked) {
			continue // its browser comes by again
		}
		if err == nil {
			d.Sealed, err = v.box.Seal(ctx, workspace, KindDevices, user, plain)
		}
		if err != nil {
			return fmt.Errorf("seal a device again: %w", err)
		}
		if err := v.put(ctx, workspace, kindDevice+user, d.ID, d); err != nil {
			return err
		}
	}
	return nil
}

// resealKey seals the key for push services again.
func (v *Devices) resealKey(ctx context.Context) error {
	old, key, err := v.readKey(ctx)
	if errors.Is(err, event.ErrNotFound) || errors.Is(err, secret.ErrLocked) {
		return nil
	}
	var raw []byte
	if err == nil {
		raw, err = key.Bytes()
	}
	var sealed string
	if err == nil {
		sealed, err = v.box.Seal(ctx, noWorkspace, KindPushKey, thePushKey, raw)
	}
	if err != nil {
		return err
	}
	doc, err := json.Marshal(sealed)
	if err != nil {
		return err
	}
	err = v.records.Swap(ctx, noWorkspace, KindPushKey, thePushKey, old, doc)
	if errors.Is(err, event.ErrConflict) {
		return nil // another process has sealed it
	}
	return err
}
