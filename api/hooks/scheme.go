package hooks

import (
	"crypto"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha1" // some vendors sign with it
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"hash"
	"regexp"
	"slices"
	"strings"
	"time"

	"tidings/api/hooks/mapping"
	"tidings/event"
)

// Scheme says how a source without a provider of its own in code is believed.
type Scheme struct {
	// By is hmac, rsa, standard (Standard Webhooks), basic, bearer, addresses, or
	// path: who knows the address of the source is believed. "given" is whichever
	// of basic, keys as bearer tokens, and addresses the source has; all of them.
	By string `json:"by" yaml:"by" enum:"hmac,rsa,standard,basic,bearer,addresses,given,path"`
	// Header carries the signature or token; Member does, within the body.
	Header string `json:"header,omitempty" yaml:"header"`
	Member string `json:"member,omitempty" yaml:"member"`
	// Prefix stands before the signature, such as sha256=. With Part the header is
	// a list such as t=1,v1=abc, of which this member is the signature.
	Prefix string `json:"prefix,omitempty" yaml:"prefix"`
	Part   string `json:"part,omitempty" yaml:"part"`
	// Hash is sha256, sha1 or sha512; Encoding hex or base64.
	Hash     string `json:"hash,omitempty" yaml:"hash"`
	Encoding string `json:"encoding,omitempty" yaml:"encoding"`
	// Signed is what is signed: {body}, {url}, {timestamp}, {form} (each name and
	// value of a form, sorted, one behind the other), {header.NAME}, {body.member}
	// and what stands between. {body} when empty.
	Signed string `json:"signed,omitempty" yaml:"signed"`
	// Timestamp is the header, or with Part the member of the list, that holds when
	// it was signed; Tolerance is how many seconds ago that may be.
	Timestamp string `json:"timestamp,omitempty" yaml:"timestamp"`
	Tolerance int    `json:"tolerance,omitempty" yaml:"tolerance"`
}

// maxTolerance bounds how old a signature may be: a day and an hour.
const maxTolerance = 25 * 60 * 60

// maxPlaceholders bounds what is signed: each may be the whole body.
const maxPlaceholders = 10

// placeholders of what is signed.
var placeholder = regexp.MustCompile(`\{(body|url|timestamp|form|header\.[A-Za-z0-9-]+|body\.[A-Za-z0-9_.-]+)\}`)

func (s Scheme) check() *event.FieldError {
	if !slices.Contains([]string{"hmac", "rsa", "standard", "basic", "bearer", "addresses", "given", "path"}, s.By) {
		return event.Invalid("verify.by", "is not one of hmac, rsa, standard, basic, bearer, addresses, given, path")
	}
	if s.Tolerance < 0 || s.Tolerance > maxTolerance {
		return event.Invalid("verify.tolerance", "must be 0 to 90000 seconds")
	}
	if s.By != "hmac" && s.By != "rsa" {
		return nil
	}
	switch {
	case (s.Header == "") == (s.Member == ""):
		return event.Invalid("verify.header", "or verify.member is required, one of them")
	case s.newHash() == nil:
		return event.Invalid("verify.hash", "is not one of sha256, sha1, sha512")
	case s.Encoding != "hex" && s.Encoding != "base64":
		return event.Invalid("verify.encoding", "is not one of hex, base64")
	case s.Tolerance > 0 && s.Timestamp == "":
		return event.Invalid("verify.timestamp", "is required where there is a tolerance")
	case len(s.Signed) > 500 || strings.ContainsAny(placeholder.ReplaceAllString(s.Signed, ""), "{}"):
		return event.Invalid("verify.signed", "knows {body}, {url}, {timestamp}, {form}, {header.NAME} and {body.member}")
	case s.Signed != "" && !strings.Contains(s.Signed, "{"):
		return event.Invalid("verify.signed", "names nothing of the request")
	case len(placeholder.FindAllString(s.Signed, maxPlaceholders+1)) > maxPlaceholders:
		return event.Invalid("verify.signed", "names more than 10 parts of the request")
	}
	return nil
}

// checkSecrets says what is wrong with a source's secrets for the scheme.
func (s Scheme) checkSecrets(secrets Secrets) *event.FieldError {
	if err := s.check(); err != nil {
		return err
	}
	if err := checkSizes(secrets); err != nil {
		return err
	}
	switch s.By {
	case "standard":
		return checkStandard(secrets)
	case "hmac":
		return needKeys(secrets, "the secret that the requests are signed with")
	case "rsa":
		for _, key := range secrets.Keys {
			if rsaKey(key) == nil {
				return event.Invalid("keys", "must be RSA public keys, in base64 or PEM")
			}
		}
		return needKeys(secrets, "the public key that the signatures are made for")
	case "bearer":
		return needKeys(secrets, "the token that the requests carry")
	case "basic":
		if len(secrets.Basic) == 0 {
			return event.Invalid("basic", "is required: the user:password that the requests carry")
		}
		return unused(secrets, false, true, true)
	case "addresses":
		if len(secrets.Addresses) == 0 {
			return event.Invalid("addresses", "is required: the networks that requests come from")
		}
		return unused(secrets, false, true, true)
	case "given":
		if len(secrets.Keys)+len(secrets.Basic)+len(secrets.Addresses) == 0 {
			return event.Invalid("keys", `is required: a token that the requests carry as Authorization: Bearer; or basic, or addresses, or verify {"by": "path"}`)
		}
		return nil
	}
	return unused(secrets, false, false, true)
}

// verify believes a request or says why not. Addresses always count where the
// source has some.
func (s Scheme) verify(r *Request, secrets Secrets, now time.Time) error {
	if err := s.verifyHead(r, secrets, now); err != nil {
		return err
	}
	switch s.By {
	case "standard":
		return verifyStandard(r, secrets.Keys, now)
	case "hmac", "rsa":
		return s.verifySigned(r, secrets, now)
	}
	return nil
}

// verifyHead is the part of verify that needs no body: all of it but for signatures.
func (s Scheme) verifyHead(r *Request, secrets Secrets, now time.Time) error {
	if len(secrets.Addresses) > 0 || s.By == "addresses" {
		if err := verifyAddress(r, secrets.Addresses); err != nil {
			return err
		}
	}
	switch s.By {
	case "path", "addresses":
		return nil
	case "standard":
		return verifyStandardHead(r, now)
	case "basic":
		return verifyBasic(r, secrets.Basic)
	case "bearer":
		return s.verifyBearer(r, secrets.Keys)
	case "given":
		return s.verifyGiven(r, secrets)
	}
	if s.Member != "" {
		return nil // the signature is in the body
	}
	_, timestamp, err := s.signature(r)
	if err != nil {
		return err
	}
	return s.fresh(timestamp, now)
}

func (s Scheme) verifyGiven(r *Request, secrets Secrets) error {
	if len(secrets.Basic) > 0 {
		if err := verifyBasic(r, secrets.Basic); err != nil {
			return err
		}
	}
	if len(secrets.Keys) > 0 {
		return s.verifyBearer(r, secrets.Keys)
	}
	if len(secrets.Basic)+len(secrets.Addresses) == 0 {
		return Unsigned
	}
	return nil
}

// verifyBearer checks a token in Authorization, or in the scheme's own header.
func (s Scheme) verifyBearer(r *Request, keys []string) error {
	token := ""
	if s.Header != "" && !strings.EqualFold(s.Header, "Authorization") {
		token = strings.TrimPrefix(r.Header.Get(s.Header), s.Prefix)
	} else if scheme, rest, _ := strings.Cut(r.Header.Get("Authorization"), " "); strings.EqualFold(scheme, "Bearer") {
		token = strings.TrimSpace(rest)
	}
	if token == "" {
		return Unsigned
	}
	found := false
	for _, key := range keys {
		found = same(key, token) || found
	}
	if !found {
		return Wrong
	}
	return nil
}

// signature is what a request carries: the signature and when it was made.
func (s Scheme) signature(r *Request) (signature []byte, timestamp string, err error) {
	text := r.Header.Get(s.Header)
	if s.Member != "" {
		text = r.lookup(s.Member)
	}
	if text == "" {
		return nil, "", Unsigned
	}
	timestamp = r.Header.Get(s.Timestamp)
	if s.Part != "" {
		parts := make(map[string]string)
		for _, part := range strings.Split(text, ",") {
			name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
			parts[name] = value
		}
		text, timestamp = parts[s.Part], parts[s.Timestamp]
	}
	coded, ok := strings.CutPrefix(text, s.Prefix)
	if !ok {
		return nil, "", Wrong
	}
	if s.Encoding == "hex" {
		signature, err = hex.DecodeString(strings.TrimSpace(coded))
	} else {
		signature, err = base64.StdEncoding.DecodeString(strings.TrimSpace(coded))
	}
	if err != nil || len(signature) == 0 || s.By == "hmac" && len(signature) != s.newHash()().Size() {
		return nil, "", Wrong
	}
	return signature, timestamp, nil
}

func (s Scheme) verifySigned(r *Request, secrets Secrets, now time.Time) error {
	signature, timestamp, err := s.signature(r)
	if err != nil {
		return err
	}
	found := false
	for _, signed := range s.texts(r, timestamp) {
		for _, key := range secrets.Keys {
			found = s.fits(signed, signature, key) || found
		}
	}
	if !found {
		return Wrong
	}
	return s.fresh(timestamp, now)
}

// fresh refuses what was signed longer ago than the scheme tolerates.
func (s Scheme) fresh(timestamp string, now time.Time) error {
	if s.Tolerance == 0 {
		return nil
	}
	at := mapping.Instant(timestamp)
	if at.IsZero() {
		return Stale
	}
	return fresh(at, now, time.Duration(s.Tolerance)*time.Second)
}

// texts are what may have been signed, each in the parts that it is made of: a body is not
// copied before it is believed. Behind a proxy we cannot know whether the address began with
// https, so both are tried.
func (s Scheme) texts(r *Request, timestamp string) [][][]byte {
	template := firstOf(s.Signed, "{body}")
	_, address, _ := strings.Cut(r.URL, "://")
	var overHTTPS, overHTTP [][]byte
	for {
		at := placeholder.FindStringIndex(template)
		if at == nil {
			break
		}
		between, name := []byte(template[:at[0]]), template[at[0]+1:at[1]-1]
		template = template[at[1]:]
		if name == "url" {
			overHTTPS = append(overHTTPS, between, []byte("https://"+address))
			overHTTP = append(overHTTP, between, []byte("http://"+address))
			continue
		}
		part := r.signedPart(name, timestamp)
		overHTTPS, overHTTP = append(overHTTPS, between, part), append(overHTTP, between, part)
	}
	overHTTPS, overHTTP = append(overHTTPS, []byte(template)), append(overHTTP, []byte(template))
	if !strings.Contains(s.Signed, "{url}") {
		return [][][]byte{overHTTPS}
	}
	return [][][]byte{overHTTPS, overHTTP}
}

// signedPart is what a placeholder stands for.
func (r *Request) signedPart(name, timestamp string) []byte {
	switch {
	case name == "body":
		return r.Body
	case name == "timestamp":
		return []byte(timestamp)
	case name == "form":
		return []byte(sortedForm(r))
	case strings.HasPrefix(name, "header."):
		return []byte(r.Header.Get(name[len("header."):]))
	}
	return []byte(r.lookup(name[len("body."):]))
}

// sortedForm is each name and value of a form, as Mandrill signs them.
func sortedForm(r *Request) string {
	fields, err := readForm(r)
	if err != nil {
		return ""
	}
	names := make([]string, 0, len(fields))
	for name := range fields {
		names = append(names, name)
	}
	slices.Sort(names)
	var b strings.Builder
	for _, name := range names {
		for _, value := range fields[name] {
			b.WriteString(name + value)
		}
	}
	return b.String()
}

func (s Scheme) newHash() func() hash.Hash {
	switch s.Hash {
	case "sha256", "":
		return sha256.New
	case "sha1":
		return sha1.New
	case "sha512":
		return sha512.New
	}
	return nil
}

// fits reports whether a key makes, or fits, the signature of a text.
func (s Scheme) fits(signed [][]byte, signature []byte, key string) bool {
	sum := hmac.New(s.newHash(), []byte(key))
	if s.By == "rsa" {
		sum = s.newHash()()
	}
	for _, part := range signed {
		sum.Write(part)
	}
	if s.By == "rsa" {
		public := rsaKey(key)
		kind := map[string]crypto.Hash{"": crypto.SHA256, "sha256": crypto.SHA256, "sha1": crypto.SHA1, "sha512": crypto.SHA512}[s.Hash]
		return public != nil && rsa.VerifyPKCS1v15(public, kind, sum.Sum(nil), signature) == nil
	}
	return subtle.ConstantTimeCompare(sum.Sum(nil), signature) == 1
}

// rsaKey reads a public key: PEM, or base64 of PKIX, as DKIM records hold it.
func rsaKey(text string) *rsa.PublicKey {
	var der []byte
	if block, _ := pem.Decode([]byte(text)); block != nil {
		der = block.Bytes
	} else if raw, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), "")); err == nil {
		der = raw
	}
	parsed, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil
	}
	public, _ := parsed.(*rsa.PublicKey)
	return public
}

// lookup finds a text in the body: a JSON document, or a form.
func (r *Request) lookup(path string) string {
	if !isForm(r.mediaType()) {
		return Lookup(r.Body, path)
	}
	fields, err := readForm(r)
	if err != nil {
		return ""
	}
	return shorten(fields.get(path), maxShort)
}
