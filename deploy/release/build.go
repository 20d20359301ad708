package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// target is what to build. Cache is a build cache of its own, or empty.
type target struct{ version, tags, system, processor, cache string }

// build builds the module in source. What would make two builds differ is left
// out: paths, the state of the checkout, and the linker's build id.
func build(ctx context.Context, source, path string, t target) error {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	command := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-tags="+t.tags,
		"-ldflags=-s -w -buildid= -X tidings/app.release="+t.version, "-o", absolute, ".")
	command.Dir = source
	command.Env = append(os.Environ(), "GOFLAGS=", "CGO_ENABLED=0", "GOOS="+t.system, "GOARCH="+t.processor)
	if t.cache != "" {
		command.Env = append(command.Env, "GOCACHE="+t.cache)
	}
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s/%s: %w\n%s", t.system, t.processor, err, output)
	}
	return nil
}

// checkReproducible builds once more, from a clone of the last commit in another
// folder and with an empty cache, and compares.
func checkReproducible(ctx context.Context, binary, version, tags, platform string) error {
	folder, err := os.MkdirTemp("", "tidings-release-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	fmt.Println("building", platform, "again, from a clone and with an empty cache")
	clone := filepath.Join(folder, "clone")
	if output, err := exec.CommandContext(ctx, "git", "clone", "--quiet", "--no-hardlinks", ".", clone).CombinedOutput(); err != nil {
		return fmt.Errorf("clone: %w\n%s", err, output)
	}
	system, processor, _ := strings.Cut(platform, "/")
	again := filepath.Join(folder, "again")
	if err := build(ctx, clone, again, target{version, tags, system, processor, filepath.Join(folder, "cache")}); err != nil {
		return err
	}
	first, err := sumOf(binary)
	if err != nil {
		return err
	}
	second, err := sumOf(again)
	if err != nil {
		return err
	}
	if first != second {
		return fmt.Errorf("two builds of %s differ (%s and %s): commit what has changed, or find what the build depends on", platform, first, second)
	}
	fmt.Println("both builds are", first)
	return nil
}
