package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"tidings/store/mongo/mongotest"
)

// TestNothingNamesAnErasedPersonElsewhere reads every document of Elasticsearch and
// MongoDB and every message of NATS, where nothing is kept in a directory: once the call
// has answered, and the queue after the next nightly run.
func TestNothingNamesAnErasedPersonElsewhere(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("skipped: -short, and this runs five servers")
	}
	database, queue := mongotest.Start(t).URL(t), startNATS(t).URL()
	prefix := fmt.Sprintf("erasing-%d", rand.Uint32())
	cluster := strings.TrimSuffix(elasticServer.URL(t), "/")
	x := &topology{t: t, stores: []string{"--index", cluster + "/" + prefix + "?refresh=200ms", "--state", database, "--stream", queue}}
	key := x.createKey("acme", "admin")
	api := startProcess(t, program(), append([]string{"api", "--listen", "127.0.0.1:0"}, x.stores...)...)
	indexer := x.startIndexer()
	base := "http://" + api.address
	const gone, stays = "zebulon.quix@vanishing.example", "kim@stays.example"
	ask := func(method, path string, body any) {
		t.Helper()
		raw, err := json.Marshal(body)
		require.NoError(t, err)
		require.NoError(t, request(method, base+path, key, "application/json", raw, new(json.RawMessage)), "%s\n%s", path, api.output())
	}
	now := time.Now().Add(-time.Hour)
	person := func(email string) map[string]any { return map[string]any{"email": email, "name": "Of " + email} }
	one := func(id, kind string, at time.Time, more map[string]any) map[string]any {
		more["id"], more["type"], more["message"], more["time"] = id, kind, "m", at.UTC().Format(time.RFC3339)
		return more
	}
	ask(http.MethodPost, "/v1/events", []any{
		one("1", "send", now, map[string]any{"user": "u_ana", "subject": "Hello", "recipients": []any{person(gone), person(stays)}}),
		one("2", "open", now.Add(time.Minute), map[string]any{"recipient": person(gone)}),
		one("3", "reply", now.AddDate(0, 0, -40), map[string]any{"recipient": person(gone), "body": "Write me at " + gone}),
		one("4", "open", now.Add(time.Minute), map[string]any{"recipient": person(stays)}),
	})
	ask(http.MethodPut, "/v1/searches/mine", map[string]any{"q": "from:" + gone})
	ask(http.MethodPut, "/v1/follow-ups/"+url.PathEscape(gone), map[string]any{"note": "Ask " + gone})
	items := func(email string) int {
		var page struct{ Items []json.RawMessage }
		require.NoError(t, request(http.MethodGet, base+"/v1/feed?automated=show&recipient="+url.QueryEscape(email), key, "", nil, &page))
		return len(page.Items)
	}
	require.Eventually(t, func() bool { return items(gone) == 3 && items(stays) == 2 }, time.Minute, 200*time.Millisecond)
	kept := map[string]func(text string) []string{
		"Elasticsearch": func(text string) []string { return elasticNaming(t, cluster, prefix, text) },
		"MongoDB":       func(text string) []string { return mongoNaming(t, database, text) },
		"NATS":          func(text string) []string { return natsNaming(t, queue, text) },
	}
	for name, naming := range kept {
		require.NotEmpty(t, naming(gone), name)
	}

	ask(http.MethodDelete, "/v1/people/"+url.PathEscape(gone), nil)
	require.Empty(t, kept["Elasticsearch"](gone))
	require.Empty(t, kept["MongoDB"](gone))
	require.Zero(t, items(gone))
	require.Equal(t, 2, items(stays))
	require.NoError(t, indexer.stop(), indexer.output())
	indexer = x.startIndexer() // which makes the nightly run
	require.Eventually(t, func() bool { return len(kept["NATS"](gone)) == 0 }, time.Minute, 500*time.Millisecond, "%v", kept["NATS"](gone))
	require.Empty(t, kept["Elasticsearch"]("vanishing.example"))
	require.Empty(t, kept["MongoDB"]("vanishing.example"))
	require.NotEmpty(t, kept["Elasticsearch"](stays))
	require.NoError(t, indexer.stop(), indexer.output())
	require.NoError(t, api.stop(), api.output())
}

// elasticNaming are the documents of all indices that hold a text.
func elasticNaming(t *testing.T, cluster, prefix, text string) (found []string) {
	t.Helper()
	base := strings.Replace(cluster, "elasticsearch://", "http://", 1) + "/" + prefix + "-*"
	refreshed, err := http.Post(base+"/_refresh", "application/json", nil)
	require.NoError(t, err)
	require.NoError(t, refreshed.Body.Close())
	var answer struct {
		Hits struct {
			Hits []json.RawMessage `json:"hits"`
		} `json:"hits"`
	}
	require.NoError(t, request(http.MethodGet, base+"/_search?size=1000", "", "", nil, &answer))
	for _, hit := range answer.Hits.Hits {
		if bytes.Contains(bytes.ToLower(hit), []byte(text)) {
			found = append(found, string(hit))
		}
	}
	return found
}

// mongoNaming are the documents of all collections that hold a text.
func mongoNaming(t *testing.T, address, text string) (found []string) {
	t.Helper()
	ctx := t.Context()
	client, err := mongo.Connect(options.Client().ApplyURI(address))
	require.NoError(t, err)
	defer func() { require.NoError(t, client.Disconnect(context.WithoutCancel(ctx))) }()
	parsed, err := url.Parse(address)
	require.NoError(t, err)
	database := client.Database(strings.TrimPrefix(parsed.Path, "/"))
	names, err := database.ListCollectionNames(ctx, bson.D{})
	require.NoError(t, err)
	for _, name := range names {
		cursor, err := database.Collection(name).Find(ctx, bson.D{})
		require.NoError(t, err)
		for cursor.Next(ctx) {
			if bytes.Contains(bytes.ToLower(cursor.Current), []byte(text)) {
				found = append(found, name+": "+cursor.Current.String())
			}
		}
		require.NoError(t, cursor.Close(ctx))
	}
	return found
}

// natsNaming are the messages of all streams that hold a text.
func natsNaming(t *testing.T, address, text string) (found []string) {
	t.Helper()
	ctx := t.Context()
	connection, err := nats.Connect(address)
	require.NoError(t, err)
	defer connection.Close()
	js, err := jetstream.New(connection)
	require.NoError(t, err)
	for info := range js.ListStreams(ctx).Info() {
		stream, err := js.Stream(ctx, info.Config.Name)
		require.NoError(t, err)
		for sequence := info.State.FirstSeq; sequence > 0 && sequence <= info.State.LastSeq; sequence++ {
			message, err := stream.GetMsg(ctx, sequence)
			if err != nil {
				continue // it was removed
			}
			if bytes.Contains(bytes.ToLower(message.Data), []byte(text)) {
				found = append(found, info.Config.Name+": "+string(message.Data))
			}
		}
	}
	return found
}
