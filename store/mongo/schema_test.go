package mongo_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"tidings/migrations"
	"tidings/store/mongo"
	"tidings/store/mongo/mongotest"
)

func TestADatabaseHasAVersionFromItsFirstOpening(t *testing.T) {
	ctx, url := t.Context(), mongotest.Start(t).URL(t)
	schema, err := mongo.OpenSchema(mongo.Config{URL: url})
	require.NoError(t, err)
	defer func() { require.NoError(t, schema.Close()) }()
	parts, err := schema.Parts(ctx)
	require.NoError(t, err)
	require.Empty(t, parts, "there is nothing yet")

	open(t, url)
	open(t, url)
	parts, err = schema.Parts(ctx)
	require.NoError(t, err)
	require.Len(t, parts, 1)
	require.Equal(t, parts[0].Want, parts[0].Have)
	require.NoError(t, schema.Up(ctx, parts[0].Name), "there is no step left to take")
	again, err := schema.Parts(ctx)
	require.NoError(t, err)
	require.Equal(t, parts, again)

	first := migrations.Taken{Part: "mongodb", From: 1, To: 2, At: time.Unix(1000, 0).UTC(), By: "test"}
	second := migrations.Taken{Part: "mongodb", From: 2, To: 3, At: time.Unix(2000, 0).UTC(), By: "test"}
	require.NoError(t, errors.Join(schema.Note(ctx, second), schema.Note(ctx, first), schema.Note(ctx, first)))
	taken, err := schema.Taken(ctx)
	require.NoError(t, err)
	require.Equal(t, []migrations.Taken{first, second}, taken)

	_, err = raw(t, url, "migrations").UpdateOne(ctx, bson.D{{Key: "_id", Value: "schema"}},
		bson.D{{Key: "$set", Value: bson.D{{Key: "version", Value: 99}}}})
	require.NoError(t, err)
	_, err = mongo.Open(ctx, mongo.Config{URL: url})
	require.ErrorContains(t, err, "newer version of Tidings")
}
