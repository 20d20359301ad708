package deliver

import (
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var noon = time.Date(2026, 11, 16, 12, 0, 0, 0, time.UTC)

// The vectors of Svix, which are those of Standard Webhooks.
func TestSignaturesAreThoseOfTheStandard(t *testing.T) {
	const vectors = "../../shared/data/signature_vectors/svix_standard_webhooks.json"
	raw, err := os.ReadFile(vectors)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("skipped: no shared data: " + vectors)
	}
	require.NoError(t, err)
	var file struct {
		Vectors []struct {
			Name, Secret, ID, Payload, Signature string
			Timestamp                            int64
			Valid                                bool
		}
	}
	require.NoError(t, json.Unmarshal(raw, &file))
	require.NotEmpty(t, file.Vectors)
	for _, v := range file.Vectors {
		secret := "whsec_" + strings.TrimPrefix(v.Secret, "whsec_")
		got, err := sign([]string{secret}, v.ID, time.Unix(v.Timestamp, 0), []byte(v.Payload))
		require.NoError(t, err)
		require.Equal(t, v.Valid, strings.Contains(" "+v.Signature+" ", " "+got+" "), v.Name)
	}
}

func TestReceiversOfTheStandardBelieveBothSecrets(t *testing.T) {
	const old, fresh = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4k="
	at := time.Now() // The library knows no other clock.
	e := Endpoint{Secrets: []SigningSecret{{Text: fresh}, {Text: old, Until: at.Add(RotationTime)}}}
	body := []byte(`{"type":"open"}`)
	for _, c := range []struct {
		at       time.Time
		believed []string
		not      string
	}{{at, []string{old, fresh}, ""}, {at.Add(RotationTime), []string{fresh}, old}} {
		signature, err := sign(e.active(c.at), "msg_1", at, body)
		require.NoError(t, err)
		header := http.Header{"Webhook-Id": {"msg_1"}, "Webhook-Signature": {signature}}
		header.Set("Webhook-Timestamp", itoa(at.Unix()))
		for _, secret := range c.believed {
			receiver, err := standardwebhooks.NewWebhook(secret)
			require.NoError(t, err)
			require.NoError(t, receiver.Verify(body, header))
		}
		if c.not != "" {
			receiver, err := standardwebhooks.NewWebhook(c.not)
			require.NoError(t, err)
			require.Error(t, receiver.Verify(body, header))
		}
	}
	for _, bad := range []string{"", "whsec_", "whsec_c2hvcnQ=", "whsec_%%%", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_" + strings.Repeat("AAAA", 40)} {
		require.Error(t, CheckSecret(bad), bad)
	}
}

func itoa(n int64) string {
	text, _ := json.Marshal(n)
	return string(text)
}

func TestNoTextOfAnEventMeansAnythingInSlack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SampledFrom([]string{"<!channel>", "<!here|x>", "<@U123>", "<https://evil.example|Click>", "&lt;!channel&gt;", "*b* _i_ ~s~ `c`", "a\nb\u2028c"}).Draw(t, "text")
		text += rapid.String().Draw(t, "more")
		body, err := slackBody(Content{Sentence: text, Subject: text, Why: text, Link: "https://t.example/#m=1&x=<y>"})
		require.NoError(t, err)
		var message slackMessage
		require.NoError(t, json.Unmarshal(body, &message))
		for _, got := range []string{message.Text, message.Blocks[0].Text.Text, message.Blocks[1].Elements[0].Text} {
			got = strings.Replace(got, "<https://t.example/#m=1&amp;x=&lt;y&gt;|Open in Tidings>", "", 1)
			require.NotContains(t, got, "<")
			require.NotContains(t, got, ">")
			require.NotContains(t, got, "\u2028")
		}
		require.NotContains(t, message.Text, "*b*")
		require.LessOrEqual(t, len([]rune(message.Blocks[0].Text.Text)), slackSection)
		require.LessOrEqual(t, len(body), slackTotal)
	})
}

func TestNoTextOfAnEventMeansAnythingInACard(t *testing.T) {
	body, err := teamsBody(Content{Sentence: "[x](https://evil.example) **b** {{DATE(2026)}} <at>Ana</at>", Subject: strings.Repeat("ß\u0001", 5000), Why: "# x\n- y", Link: "https://t.example/"})
	require.NoError(t, err)
	require.LessOrEqual(t, len(body), teamsTotal)
	var message teamsMessage
	require.NoError(t, json.Unmarshal(body, &message))
	card := message.Attachments[0].Content
	require.Equal(t, `\[x\]\(https://evil.example\) \*\*b\*\* {`+"\u200b"+`{DATE\(2026\)}} &lt;at&gt;Ana&lt;/at&gt;`, card.Body[0].Text)
	require.Equal(t, `\# x \- y`, card.Body[2].Text)
	require.Equal(t, "application/vnd.microsoft.card.adaptive", message.Attachments[0].ContentType)
}

func TestALargeItemIsLeftOut(t *testing.T) {
	d := Delivery{ID: "d", Type: "open", Reason: "rule", At: noon.UnixMilli()}
	small, err := webhookText(d, Content{Item: json.RawMessage(`{"id":1}`), Sentence: "Jo opened"})
	require.NoError(t, err)
	require.JSONEq(t, `{"type":"open","timestamp":"2026-11-16T12:00:00Z","data":{"item":{"id":1},"sentence":"Jo opened","reason":"rule","delivery":"d"}}`, string(small))
	large, err := webhookText(d, Content{Item: json.RawMessage(`"` + strings.Repeat("x", maxWebhook) + `"`)})
	require.NoError(t, err)
	require.NotContains(t, string(large), "xxx")
}

func TestTheScheduleIsThatOfTheDesign(t *testing.T) {
	total := time.Duration(0)
	for n := 1; ; n++ {
		delay, again := webhookSchedule.next(n, 0, 0.5)
		if !again {
			require.Equal(t, 8, n, "eight tries in all")
			break
		}
		total += delay
	}
	require.Equal(t, 27*time.Hour+35*time.Minute+5*time.Second, total)
	rapid.Check(t, func(t *rapid.T) {
		n, random := rapid.IntRange(1, 7).Draw(t, "n"), rapid.Float64Range(0, 0.999).Draw(t, "random")
		asked := time.Duration(rapid.Int64Range(0, int64(100*time.Hour)).Draw(t, "asked"))
		delay, again := webhookSchedule.next(n, asked, random)
		require.True(t, again)
		base := webhookSchedule[n-1]
		require.GreaterOrEqual(t, delay, max(base*9/10, min(asked, maxRetryAfter)))
		require.LessOrEqual(t, delay, max(base*11/10, maxRetryAfter))
	})
	for text, want := range map[string]time.Duration{
		"": 0, "120": 2 * time.Minute, "-5": 0, "x": 0, "Mon, 16 Nov 2026 12:01:00 GMT": time.Minute, "Mon, 16 Nov 2026 11:00:00 GMT": 0,
	} {
		require.Equal(t, want, retryAfter(http.Header{"Retry-After": {text}}, noon), text)
	}
}

func TestAnEndpointFailsIsPausedAndDisabled(t *testing.T) {
	var h Health
	now := noon
	fail := func() { h.failed(now, "it answered 500", false, 0) }
	for range failingAfter - 1 {
		fail()
	}
	require.NotEqual(t, Failing, h.Mode)
	fail()
	require.Equal(t, Failing, h.Mode)
	may, probe := h.Sendable(now)
	require.True(t, may && !probe)
	for range pausedAfter - failingAfter {
		fail()
	}
	require.Equal(t, Paused, h.Mode)
	pause := firstPause
	for range 8 {
		require.Equal(t, now.Add(pause).UnixMilli(), h.Until)
		may, _ = h.Sendable(now.Add(pause - time.Second))
		require.False(t, may)
		fail() // What was under way when it was paused makes no pause longer.
		require.Equal(t, now.Add(pause).UnixMilli(), h.Until)
		now = now.Add(pause)
		may, probe = h.Sendable(now)
		require.True(t, may && probe)
		fail()
		pause = min(2*pause, longestPause)
	}
	recovered := h
	recovered.succeeded(now)
	require.Equal(t, Health{Mode: OK, Since: now.UnixMilli(), Success: now.UnixMilli()}, recovered)
	kept := recovered
	recovered.succeeded(now.Add(time.Minute - time.Millisecond))
	require.Equal(t, kept, recovered, "one more is no news")
	recovered.succeeded(now.Add(time.Minute))
	require.Equal(t, now.Add(time.Minute).UnixMilli(), recovered.Success)
	now = noon.Add(disabledAfter)
	fail()
	require.Equal(t, Disabled, h.Mode)
	require.Contains(t, h.Why, "5 days")
	from, ok := h.Enable(now.Add(time.Minute))
	require.False(t, ok)
	require.Equal(t, now.Add(EnableAfter).UnixMilli(), from.UnixMilli())
	_, ok = h.Enable(now.Add(EnableAfter))
	require.True(t, ok)
	require.Equal(t, OK, h.Mode)

	h.failed(now, "it answered 410", true, 0)
	require.Equal(t, Disabled, h.Mode)
	var busy Health
	busy.failed(now, "it answered 429", false, 10*time.Minute)
	require.Equal(t, Paused, busy.Mode)
	require.Equal(t, now.Add(10*time.Minute).UnixMilli(), busy.Until)
}

func TestAnIdIsOfItsCause(t *testing.T) {
	require.Len(t, ID("w", "e", "s", "p"), 26)
	require.NotEqual(t, ID("w", "e", "s", "p"), ID("w", "es", "", "p"))
	require.Equal(t, ID("w", "e", "s", "p"), ID("w", "e", "s", "p"))
}
