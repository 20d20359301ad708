package hooks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
)

// at is a clock at a time in Unix seconds.
func at(t testing.TB, seconds string) time.Time {
	t.Helper()
	n, err := strconv.ParseInt(seconds, 10, 64)
	require.NoError(t, err)
	return time.Unix(n, 0)
}

func TestSendGridVectors(t *testing.T) {
	var data struct {
		Vectors []struct {
			Name, Payload, Signature, Timestamp string
			Key                                 string `json:"public_key"`
			Valid                               bool
		}
	}
	require.NoError(t, json.Unmarshal(shared(t, "signature_vectors/sendgrid_ecdsa.json"), &data))
	require.NotEmpty(t, data.Vectors)
	for _, v := range data.Vectors {
		t.Run(v.Name, func(t *testing.T) {
			now := today
			if _, err := strconv.Atoi(v.Timestamp); err == nil {
				now = at(t, v.Timestamp)
			}
			r := &Request{Header: http.Header{}, Body: []byte(v.Payload)}
			r.Header.Set(sendgridSignature, v.Signature)
			r.Header.Set(sendgridTimestamp, v.Timestamp)
			err := sendgrid{}.Verify(t.Context(), r, Secrets{Keys: []string{v.Key}}, now)
			requireMark(t, v.Valid, err)
		})
	}
}

func requireMark(t *testing.T, valid bool, err error) {
	t.Helper()
	if valid {
		require.NoError(t, err)
		return
	}
	require.ErrorIs(t, err, event.ErrForbidden)
}

func TestMailgunVectors(t *testing.T) {
	var data struct {
		Vectors []struct {
			Name, Timestamp, Token, Signature string
			Key                               string `json:"signing_key"`
			Valid                             bool
		}
	}
	require.NoError(t, json.Unmarshal(shared(t, "signature_vectors/mailgun_hmac.json"), &data))
	require.NotEmpty(t, data.Vectors)
	for _, v := range data.Vectors {
		t.Run(v.Name, func(t *testing.T) {
			body, err := json.Marshal(map[string]any{"signature": map[string]string{
				"timestamp": v.Timestamp, "token": v.Token, "signature": v.Signature,
			}, "event-data": map[string]any{}})
			require.NoError(t, err)
			r := &Request{Header: http.Header{"Content-Type": {"application/json"}}, Body: body}
			requireMark(t, v.Valid, newMailgun(nil).Verify(t.Context(), r, Secrets{Keys: []string{v.Key}}, at(t, v.Timestamp)))
		})
	}
}

func TestStandardWebhooksVectors(t *testing.T) {
	var data struct {
		Vectors []struct {
			Name, Secret, ID, Payload, Signature string
			Timestamp                            int64
			Valid                                bool
		}
	}
	require.NoError(t, json.Unmarshal(shared(t, "signature_vectors/svix_standard_webhooks.json"), &data))
	require.NotEmpty(t, data.Vectors)
	for _, v := range data.Vectors {
		for _, prefix := range []string{"Webhook-", "Svix-"} {
			t.Run(v.Name+" "+prefix, func(t *testing.T) {
				r := &Request{Header: http.Header{}, Body: []byte(v.Payload)}
				r.Header.Set(prefix+"Id", v.ID)
				r.Header.Set(prefix+"Timestamp", strconv.FormatInt(v.Timestamp, 10))
				r.Header.Set(prefix+"Signature", v.Signature)
				keys := Secrets{Keys: []string{"whsec_b3RoZXI=", v.Secret}}
				require.Nil(t, standard{}.Check(keys))
				now := time.Unix(v.Timestamp, 0)
				requireMark(t, v.Valid, standard{}.Verify(t.Context(), r, keys, now))
				require.ErrorIs(t, standard{}.Verify(t.Context(), r, keys, now.Add(skew+time.Second)), event.ErrForbidden)
				require.ErrorIs(t, standard{}.Verify(t.Context(), r, keys, now.Add(-skew-time.Second)), event.ErrForbidden)
				for _, name := range []string{"Id", "Timestamp", "Signature"} {
					less := &Request{Header: r.Header.Clone(), Body: r.Body}
					less.Header.Del(prefix + name)
					require.ErrorIs(t, standard{}.Verify(t.Context(), less, keys, now), Unsigned)
				}
			})
		}
	}
}

// amazon answers for Amazon's hosts without any network.
type amazon struct {
	cert  []byte
	asked []string
	err   error
}

func (a *amazon) RoundTrip(r *http.Request) (*http.Response, error) {
	a.asked = append(a.asked, r.URL.String())
	if a.err != nil {
		return nil, a.err
	}
	answer := &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(string(a.cert))), Request: r}
	if strings.Contains(r.URL.Path, "absent") {
		answer.StatusCode = http.StatusNotFound
	}
	return answer, nil
}

func TestSNSVectors(t *testing.T) {
	var data struct {
		Vectors []struct {
			Style   string
			Message map[string]any
			Valid   bool
			Signed  string `json:"string_to_sign"`
		}
	}
	require.NoError(t, json.Unmarshal(shared(t, "signature_vectors/sns_signed_messages.json"), &data))
	require.NotEmpty(t, data.Vectors)
	from := &amazon{cert: shared(t, "signature_vectors/sns_signing_cert.pem")}
	p := newSES(&http.Client{Transport: from})
	for i, v := range data.Vectors {
		t.Run(fmt.Sprintf("%d %s", i, v.Style), func(t *testing.T) {
			m := make(map[string]any)
			for name, value := range v.Message {
				// What Lambda gets differs in the case of these names alone.
				m[strings.NewReplacer("SigningCertUrl", "SigningCertURL", "SubscribeUrl", "SubscribeURL", "UnsubscribeUrl", "UnsubscribeURL").Replace(name)] = value
			}
			body, err := json.Marshal(m)
			require.NoError(t, err)
			envelope, err := readSNS(body)
			require.NoError(t, err)
			if v.Signed != "" {
				require.Equal(t, v.Signed, string(envelope.signed()))
			}
			sent, err := time.Parse(time.RFC3339, envelope.Timestamp)
			require.NoError(t, err)
			r := &Request{Body: body}
			topics := Secrets{Keys: []string{envelope.Topic}}
			require.Nil(t, p.Check(topics))
			requireMark(t, v.Valid, p.Verify(t.Context(), r, topics, sent.Add(time.Minute)))
			if !v.Valid {
				return
			}
			require.ErrorIs(t, p.Verify(t.Context(), r, topics, sent.Add(snsWindow+time.Minute)), Stale, "too old")
			require.ErrorIs(t, p.Verify(t.Context(), r, topics, sent.AddDate(1, 0, 0)), Wrong, "the certificate has expired")
			require.ErrorIs(t, p.Verify(t.Context(), r, Secrets{Keys: []string{"arn:aws:sns:us-east-1:1:other"}}, sent), Wrong, "another topic")
		})
	}
	require.Len(t, from.asked, 1, "the certificate is fetched once")
}

func TestOnlyAmazonsHostsAreAsked(t *testing.T) {
	from := &amazon{cert: []byte("no certificate")}
	v := newSNSVerifier(&http.Client{Transport: from})
	for _, bad := range []string{
		"http://sns.us-east-1.amazonaws.com/x.pem", "https://sns.us-east-1.amazonaws.com.evil.example/x.pem",
		"https://evil.example/sns.us-east-1.amazonaws.com/x.pem", "https://foo.amazonaws.com/bar.pem", "https://foo.amazonaws.com/bar",
		"https://foo.example.com/baz.pem", "https://sns.us-east-1.amazonaws.com/x.txt", "https://sns.us-east-1.amazonaws.com:8443/x.pem",
		"https://user@sns.us-east-1.amazonaws.com/x.pem", "https://sns.us-east-1.amazonaws.com@evil.example/x.pem",
		"https://sns.us-east-1.amazonaws.com/x?y=.pem", "https://sns.us-east-1.amazonaws.com\\@evil.example/x.pem",
		"https://bucket.s3.amazonaws.com/x.pem", "https://SNS.us-east-1.amazonaws.com.:443/x.pem", "//sns.us-east-1.amazonaws.com/x.pem",
		"file:///etc/passwd.pem", "https://sns.a.b.amazonaws.com/x.pem", "",
	} {
		_, err := v.certificate(t.Context(), bad, today)
		require.ErrorIs(t, err, Wrong, bad)
		if _, amazons := amazonURL(bad); !amazons {
			require.ErrorIs(t, v.confirm(bad)(t.Context()), event.ErrInvalid, bad)
		}
	}
	require.Empty(t, from.asked)

	_, err := v.certificate(t.Context(), "https://sns.eu-west-1.amazonaws.com/x.pem", today)
	require.ErrorIs(t, err, Wrong, "no certificate there")
	for range 2 {
		_, err = v.certificate(t.Context(), "https://sns.eu-west-1.amazonaws.com/absent.pem", today)
		require.ErrorIs(t, err, Wrong)
	}
	require.Len(t, from.asked, 2, "an address without a certificate is not asked again at once")
	from.err = errors.New("no route")
	_, err = v.certificate(t.Context(), "https://sns.cn-north-1.amazonaws.com.cn/x.pem", today)
	require.ErrorIs(t, err, event.ErrUnavailable, "Amazon is away: the request may be good")
}

func TestTheSharedRulesForCertificateAddresses(t *testing.T) {
	var data struct {
		Cases []struct{ SigningCertURL string }
	}
	require.NoError(t, json.Unmarshal(shared(t, "signature_vectors/sns_rules.json"), &data))
	for _, c := range data.Cases {
		u, err := url.Parse(c.SigningCertURL)
		require.NoError(t, err)
		_, ok := amazonURL(c.SigningCertURL)
		require.Equal(t, strings.HasPrefix(u.Host, "sns.") && strings.HasSuffix(u.Host, ".amazonaws.com"), ok, c.SigningCertURL)
	}
}

func TestASubscriptionIsConfirmedOnceItIsVerified(t *testing.T) {
	from := &amazon{}
	p := newSES(&http.Client{Transport: from})
	body := `{"Type":"SubscriptionConfirmation","MessageId":"1","Token":"t","TopicArn":"arn:aws:sns:us-west-2:1:mail",` +
		`"Message":"m","SubscribeURL":"https://sns.us-west-2.amazonaws.com/?Action=ConfirmSubscription&Token=t","Timestamp":"2026-11-21T12:00:00Z"}`
	require.ErrorIs(t, p.Verify(t.Context(), &Request{Body: []byte(body)}, Secrets{Keys: []string{"arn:aws:sns:us-west-2:1:mail"}}, today), Unsigned)
	require.Empty(t, from.asked)
	d, err := p.Decode(&Request{Body: []byte(body)})
	require.NoError(t, err)
	require.Empty(t, from.asked, "decoding alone reaches nobody")
	require.NoError(t, d.Finish(t.Context()))
	require.Equal(t, []string{"https://sns.us-west-2.amazonaws.com/?Action=ConfirmSubscription&Token=t"}, from.asked)

	_, err = p.Decode(&Request{Body: []byte(strings.Replace(body, "sns.us-west-2.amazonaws.com", "evil.example", 1))})
	require.ErrorIs(t, err, event.ErrInvalid)
}

// TestCapturedSignatures checks every request that is marked, and every one that
// its suite refused.
func TestCapturedSignatures(t *testing.T) {
	var report strings.Builder
	for _, provider := range []string{"sendgrid", "mailgun"} {
		marked := 0
		for _, c := range captures(t, provider) {
			secrets := c.secrets()
			refusedThere := c.Status != nil && *c.Status == http.StatusBadRequest
			if (c.Verifies == nil && !refusedThere) || len(secrets.Keys) == 0 {
				continue
			}
			marked++
			r := c.request(t)
			p, _ := New(nil, nil).Provider(provider) // their suite uses a token twice
			require.Nil(t, p.Check(secrets), c.ID)
			err := p.Verify(context.Background(), r, secrets, c.now(t, r))
			want := c.Verifies != nil && *c.Verifies
			switch {
			case want && errors.Is(err, Stale) && provider == "sendgrid" && r.Header.Get(sendgridTimestamp) == "data timestamp":
				fmt.Fprintf(&report, "%s %s: the signature is good; refused since its timestamp is no time, so a replay could not be told\n", provider, c.name())
			case want:
				require.NoError(t, err, c.ID)
			default:
				require.ErrorIs(t, err, event.ErrForbidden, c.ID)
			}
		}
		fmt.Fprintf(&report, "%s: %d marked requests\n", provider, marked)
	}
	golden(t, "signatures.golden", report.String())
}

func (c capture) secrets() Secrets {
	var s Secrets
	for _, name := range []string{"SENDGRID_TRACKING_WEBHOOK_VERIFICATION_KEY", "ANYMAIL_MAILGUN_WEBHOOK_SIGNING_KEY"} {
		if key, ok := c.Keys[name].(string); ok {
			s.Keys = append(s.Keys, key)
		}
	}
	return s
}

// now is a clock at the time of the request.
func (c capture) now(t *testing.T, r *Request) time.Time {
	if signed, err := mailgunSigned(r); err == nil && signed.Timestamp != "" {
		return at(t, signed.Timestamp)
	}
	return today
}
