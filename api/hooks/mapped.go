package hooks

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"go.yaml.in/yaml/v3"

	"tidings/api/hooks/mapping"
	"tidings/event"
)

// Custom is what a source says of its own: how its requests are believed, how
// they are read, and what single fields are.
type Custom struct {
	Verify  *Scheme          `json:"verify,omitempty"`
	Mapping *mapping.Mapping `json:"mapping,omitempty"`
}

// IsZero reports whether the source says nothing of its own.
func (c Custom) IsZero() bool { return c.Verify == nil && c.Mapping == nil }

// Vendor is a provider that is a mapping: what one of the embedded files holds.
type Vendor struct {
	// Title is what people call the vendor.
	Title   string          `yaml:"title"`
	Verify  Scheme          `yaml:"verify"`
	Mapping mapping.Mapping `yaml:"mapping"`
	Sample  struct {
		Type   string            `yaml:"type"`
		Header map[string]string `yaml:"header"`
		Body   string            `yaml:"body"`
	} `yaml:"sample"`
}

// vendorFiles are the vendors without a protocol of their own, one a file.
//
//go:embed vendors/*.yaml
var vendorFiles embed.FS

// vendors are those of the embedded files, by the names of the providers. They are
// read once, and nobody changes them.
var vendors = sync.OnceValues(readVendors)

func readVendors() (map[string]Vendor, error) {
	files, err := vendorFiles.ReadDir("vendors")
	if err != nil {
		return nil, fmt.Errorf("read vendors: %w", err)
	}
	all := make(map[string]Vendor, len(files))
	for _, file := range files {
		raw, err := vendorFiles.ReadFile(path.Join("vendors", file.Name()))
		if err != nil {
			return nil, fmt.Errorf("read vendors: %w", err)
		}
		var v Vendor
		decoder := yaml.NewDecoder(strings.NewReader(string(raw)))
		decoder.KnownFields(true)
		if err := decoder.Decode(&v); err != nil {
			return nil, fmt.Errorf("read vendor %s: %w", file.Name(), err)
		}
		all[strings.TrimSuffix(file.Name(), ".yaml")] = v
	}
	return all, nil
}

// jsonProvider is the provider whose sources say themselves how they are read.
const jsonProvider = "json"

// mapped is a provider that is a mapping.
type mapped struct {
	verify  Scheme
	program func() (*mapping.Program, error)
	// each says that an element cannot be decoded again by itself.
	each   bool
	sample *Request
	clock  func() time.Time
}

func mappedOf(verify Scheme, m mapping.Mapping, sample *Request) *mapped {
	return &mapped{
		verify: verify, each: m.Each != "", sample: sample, clock: time.Now,
		program: sync.OnceValues(func() (*mapping.Program, error) { return mapping.Compile(m) }),
	}
}

func (v Vendor) provider() *mapped {
	sample := &Request{Header: http.Header{"Content-Type": {firstOf(v.Sample.Type, "application/json")}}, Body: []byte(v.Sample.Body)}
	for name, value := range v.Sample.Header {
		sample.Header.Set(name, value)
	}
	return mappedOf(v.Verify, v.Mapping, sample)
}

// Check wants the secrets of the scheme.
func (p *mapped) Check(s Secrets) *event.FieldError {
	if _, err := p.program(); err != nil {
		return fieldError(err)
	}
	return p.verify.checkSecrets(s)
}

// Verify believes by the scheme.
func (p *mapped) Verify(_ context.Context, r *Request, s Secrets, now time.Time) error {
	return p.verify.verify(r, s, now)
}

// VerifyHead believes by the scheme, as far as it needs no body.
func (p *mapped) VerifyHead(r *Request, s Secrets, now time.Time) error {
	return p.verify.verifyHead(r, s, now)
}

// Sample is a request as the vendor sends it, unsigned.
func (p *mapped) Sample() *Request { return p.sample }

// Decode runs the mapping.
func (p *mapped) Decode(r *Request) (Decoded, error) {
	result, err := p.read(r)
	if err != nil {
		return Decoded{}, err
	}
	var out Decoded
	for _, e := range result.Events {
		out.Events = append(out.Events, Event{Input: e.Input, Owner: e.Owner, Payload: e.Element, Again: p.again(r, e.Element), Untimed: e.Untimed})
	}
	for _, u := range result.Unknown {
		out.unknownIn(u.Name, p.again(r, u.Element))
	}
	return out, nil
}

// again is a body that an element can be decoded from again.
func (p *mapped) again(r *Request, element []byte) []byte {
	if p.each || isForm(r.mediaType()) {
		return r.Body
	}
	return element
}

func (p *mapped) read(r *Request) (mapping.Result, error) {
	program, err := p.program()
	if err != nil {
		return mapping.Result{}, err
	}
	in := mapping.Request{Body: r.Body, Header: make(map[string]string, len(r.Header))}
	for name := range r.Header {
		if isKept(name) {
			in.Header[strings.ToLower(name)] = r.Header.Get(name)
		}
	}
	if isForm(r.mediaType()) {
		fields, err := readForm(r)
		if err != nil {
			return mapping.Result{}, err
		}
		in.Form = make(map[string]string, len(fields))
		for name := range fields {
			in.Form[name] = fields.get(name)
		}
	}
	return program.Run(in, p.clock)
}

// Try is what a mapping makes of a request, with the fields that came out.
func (h *Hooks) Try(c Custom, provider string, r *Request) (mapping.Result, error) {
	p, err := h.custom(provider, c)
	if err != nil {
		return mapping.Result{}, err
	}
	m, ok := p.(*mapped)
	if !ok {
		return mapping.Result{}, event.Invalid("mapping", "is not used by this provider")
	}
	return m.read(r)
}

// For is the provider of a source: the vendor's, or one by what the source says
// of its own.
func (h *Hooks) For(name string, c Custom) (Provider, error) {
	if c.IsZero() && name != jsonProvider {
		p, ok := h.Provider(name)
		if !ok {
			return nil, fmt.Errorf("provider %q: %w", name, event.ErrNotFound)
		}
		return p, nil
	}
	return h.custom(name, c)
}

// VerifyHead refuses a request that no body can make believed, before its body is read. nil
// is not yet that it is believed: Verify says that.
func VerifyHead(p Provider, r *Request, secrets Secrets, now time.Time) error {
	if h, ok := p.(heading); ok {
		return h.VerifyHead(r, secrets, now)
	}
	return nil
}

// Acknowledge notes what a provider wants noted of a request whose events are durable.
func Acknowledge(ctx context.Context, p Provider, r *Request) error {
	if s, ok := p.(acknowledger); ok {
		return s.Acknowledge(ctx, r)
	}
	return nil
}

// customKept bounds how many mappings of sources are kept compiled.
const customKept = 200

// custom makes the provider of a source with a mapping or scheme of its own.
func (h *Hooks) custom(name string, c Custom) (Provider, error) {
	raw, err := json.Marshal(c)
	if err != nil {
		return nil, event.Invalid("mapping", "cannot be written as JSON")
	}
	key := sha256.Sum256(append([]byte(name+"\n"), raw...))
	if known, ok := h.compiled.Get(key); ok {
		return known, nil
	}
	vendor, known := h.vendors[name]
	switch {
	case name == jsonProvider && (c.Verify == nil || c.Mapping == nil):
		return nil, event.Invalid("mapping", "and verify are required by this provider")
	case name != jsonProvider && !known:
		return nil, event.Invalid("mapping", "and verify are not used by this provider")
	}
	if c.Verify != nil {
		vendor.Verify = *c.Verify
	}
	if c.Mapping != nil {
		vendor.Mapping = *c.Mapping
	}
	p := vendor.provider()
	p.clock = h.clock
	if err := p.verify.check(); err != nil {
		return nil, err
	}
	if _, err := p.program(); err != nil {
		return nil, err
	}
	if name == jsonProvider {
		p.sample = &Request{Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(`{}`)}
	}
	h.compiled.Add(key, p)
	return p, nil
}

// Mapping is the mapping of a vendor, for whoever wants to change it; ok is false
// for one that is code.
func (h *Hooks) Mapping(name string) (c Custom, ok bool) {
	v, ok := h.vendors[name]
	if !ok {
		return Custom{}, false
	}
	return Custom{Verify: &v.Verify, Mapping: &v.Mapping}, true
}

func newCompiled() *lru.Cache[[32]byte, *mapped] {
	cache, _ := lru.New[[32]byte, *mapped](customKept) // fails on a size below one alone
	return cache
}

func fieldError(err error) *event.FieldError {
	var field *event.FieldError
	if errors.As(err, &field) {
		return field
	}
	return event.Invalid("mapping", err.Error())
}
