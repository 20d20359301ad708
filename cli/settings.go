package cli

import (
	"fmt"
	"os"
	"strings"

	"github.com/BurntSushi/toml"
	"github.com/alecthomas/kong"
)

// fileSettings reads --config FILE. A key is a flag's name, with - or _, and a
// table is a command: data = "/var/lib/tidings", [import] user = "ana". A flag
// wins over the environment, the environment over the file.
type fileSettings struct {
	path   string
	values map[string]any
}

// Validate refuses keys that no command has, so that a misspelling is seen.
func (f *fileSettings) Validate(app *kong.Application) error {
	if f.path == "" {
		return nil
	}
	known := make(map[string]bool)
	err := kong.Visit(app, func(node kong.Visitable, next kong.Next) error {
		if flag, ok := node.(*kong.Flag); ok {
			known[flag.Name] = true
		}
		return next(nil)
	})
	if err != nil {
		return err
	}
	for key, value := range f.values {
		if table, ok := value.(map[string]any); ok {
			for inner := range table {
				if !known[flagName(inner)] {
					return fmt.Errorf("%s: %s.%s is not a setting", f.path, key, inner)
				}
			}
			continue
		}
		if !known[flagName(key)] {
			return fmt.Errorf("%s: %s is not a setting", f.path, key)
		}
	}
	return nil
}

// Resolve gives a flag its value from the file, unless the environment has one.
func (f *fileSettings) Resolve(context *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	if flag.Name == "config" || flag.Name == "help" {
		return nil, nil
	}
	if err := f.load(context); err != nil {
		return nil, err
	}
	for _, name := range flag.Envs {
		if _, set := os.LookupEnv(name); set {
			return nil, nil
		}
	}
	command, _, _ := strings.Cut(context.Command(), " ")
	if table, ok := f.values[command].(map[string]any); ok {
		if value, ok := find(table, flag.Name); ok {
			return value, nil
		}
	}
	if value, ok := find(f.values, flag.Name); ok {
		if _, table := value.(map[string]any); !table {
			return value, nil
		}
	}
	return nil, nil
}

// load reads the file that --config or TIDINGS_CONFIG names, once.
func (f *fileSettings) load(context *kong.Context) error {
	path := os.Getenv("TIDINGS_CONFIG")
	for _, step := range context.Path {
		if step.Flag != nil && step.Flag.Name == "config" {
			path, _ = context.FlagValue(step.Flag).(string)
		}
	}
	if path == f.path {
		return nil
	}
	f.path = path
	if _, err := toml.DecodeFile(path, &f.values); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return f.Validate(context.Model)
}

func find(values map[string]any, flag string) (any, bool) {
	for key, value := range values {
		if flagName(key) == flag {
			return value, true
		}
	}
	return nil, false
}

func flagName(key string) string { return strings.ReplaceAll(key, "_", "-") }

// versionFlag prints the version.
type versionFlag bool

// BeforeReset prints and stops before anything else is looked at.
func (versionFlag) BeforeReset(app *kong.Kong, vars kong.Vars) error {
	fmt.Fprintln(app.Stdout, "tidings "+vars["version"])
	app.Exit(0)
	return nil
}
