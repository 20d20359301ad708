// Release builds what a release of Tidings consists of, into one folder:
// a binary a platform, a software bill of materials (CycloneDX) of the Go modules
// and one of the page's packages, and SHA256SUMS.
//
// It refuses to finish when a second build from another folder and with an empty
// build cache differs by a byte, or when a package has a licence that is not on
// the list in materials.go.
package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// platforms are GOOS/GOARCH pairs.
var platforms = []string{"linux/amd64", "linux/arm64", "darwin/amd64", "darwin/arm64"}

// versions are semantic versions, with their v.
var versions = regexp.MustCompile(`^v\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$`)

func main() {
	version := flag.String("version", "", "the version to build, such as v1.2.0 (required)")
	out := flag.String("out", "bin/release", "the folder to write to; it must not exist or be empty")
	tags := flag.String("tags", "", "build tags, separated by commas")
	only := flag.String("platforms", strings.Join(platforms, ","), "GOOS/GOARCH pairs, separated by commas")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *version, *tags, *out, strings.Split(*only, ",")); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, version, tags, out string, platforms []string) error {
	if !versions.MatchString(version) {
		return fmt.Errorf("-version %q is not a version such as v1.2.0", version)
	}
	if err := emptyFolder(out); err != nil {
		return err
	}
	var binaries []string
	for _, platform := range platforms {
		system, processor, ok := strings.Cut(platform, "/")
		if !ok {
			return fmt.Errorf("platform %q is not GOOS/GOARCH", platform)
		}
		path := filepath.Join(out, fmt.Sprintf("tidings_%s_%s_%s", version, system, processor))
		fmt.Println("building", path)
		if err := build(ctx, ".", path, target{version, tags, system, processor, ""}); err != nil {
			return err
		}
		binaries = append(binaries, path)
	}
	if err := checkReproducible(ctx, binaries[0], version, tags, platforms[0]); err != nil {
		return err
	}
	modules := filepath.Join(out, "tidings_"+version+"_go.cdx.json")
	packages := filepath.Join(out, "tidings_"+version+"_web.cdx.json")
	fmt.Println("listing modules and packages")
	if err := listModules(ctx, binaries[0], version, modules); err != nil {
		return err
	}
	if err := listPackages(ctx, packages); err != nil {
		return err
	}
	for _, list := range []string{modules, packages} {
		if err := checkLicences(list); err != nil {
			return err
		}
	}
	sums := filepath.Join(out, "SHA256SUMS")
	if err := writeSums(sums, slices.Concat(binaries, []string{modules, packages})); err != nil {
		return err
	}
	fmt.Printf("%s holds %d binaries, their materials and SHA256SUMS\n", out, len(binaries))
	return nil
}

// emptyFolder makes a folder, and refuses one that has something in it.
func emptyFolder(path string) error {
	if err := os.MkdirAll(path, 0o755); err != nil {
		return err
	}
	entries, err := os.ReadDir(path)
	if err == nil && len(entries) > 0 {
		err = fmt.Errorf("%s is not empty; remove it or name another -out", path)
	}
	return err
}

// writeSums writes what `sha256sum --check` reads.
func writeSums(path string, files []string) (err error) {
	out, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	for _, file := range files {
		sum, err := sumOf(file)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(out, "%s  %s\n", sum, filepath.Base(file)); err != nil {
			return err
		}
	}
	return nil
}

func sumOf(path string) (string, error) {
	in, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer in.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, in); err != nil {
		return "", err
	}
	return fmt.Sprintf("%x", hash.Sum(nil)), nil
}
