package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"tidings/migrations"
	"tidings/rollover"
	"tidings/store/mongo"
	"tidings/store/sqlite"
)

// OpenSchema finds the schema of each store, without opening the stores
// themselves: those refuse what is not of the present version.
func OpenSchema(s Settings) (*migrations.Migrator, func() error, error) {
	if err := s.check(); err != nil {
		return nil, nil, err
	}
	if s.Data != "" {
		if info, err := os.Stat(s.Data); err != nil || !info.IsDir() {
			return nil, nil, fmt.Errorf("%s is not a data directory", s.Data)
		}
	}
	files := sqlite.NewSchema(filepath.Join(s.Data, "weeks"), filepath.Join(s.Data, "state.db"))
	m := &migrations.Migrator{History: files, Version: Version()}
	var schemas migrations.Schemas
	a := &App{}
	if s.Stores.Index != "" {
		if err := a.openIndex(s, ""); err != nil {
			return nil, nil, err
		}
		schemas = append(schemas, a.Index.(migrations.Schema))
	}
	if s.Stores.Index == "" || s.Stores.State == "" {
		schemas = append(schemas, files)
	}
	m.Schema = schemas
	if s.Stores.State == "" {
		return m, a.Close, nil
	}
	database, err := mongo.OpenSchema(mongo.Config{URL: s.Stores.State})
	if err != nil {
		return nil, nil, errors.Join(err, a.Close())
	}
	m.Schema, m.History = append(migrations.Schemas{database}, schemas...), database
	return m, func() error { return errors.Join(database.Close(), a.Close()) }, nil
}

// Alone runs do while no other process has the directory, or migrates the same
// stores.
func Alone(ctx context.Context, s Settings, log *slog.Logger, do func(context.Context) error) error {
	a := &App{log: log}
	var err error
	if s.Data != "" {
		err = a.hold(s.Data)
	}
	if err == nil && s.Stores.Stream != "" {
		err = a.openStream(ctx, s)
	}
	switch {
	case err != nil:
	case a.Stream != nil:
		err = a.Stream.RunUnderLease(ctx, rollover.Lease, rollover.LeaseTime, do)
	default:
		err = do(ctx)
	}
	return errors.Join(err, a.Close())
}
