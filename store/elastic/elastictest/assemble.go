package elastictest

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/gofrs/flock"
)

//go:embed server
var server embed.FS

// tools are what assembling and running take.
var tools = []string{"java", "javac", "mvn"}

// missing says which of the tools are not there, "" when all are.
func missing() string {
	var absent []string
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			absent = append(absent, tool)
		}
	}
	if len(absent) == 0 {
		return ""
	}
	return "no " + strings.Join(absent, ", no ")
}

var versionLine = regexp.MustCompile(`<elasticsearch\.version>(.+)</elasticsearch\.version>`)

// assemble returns the directory of a runnable server, and makes it when there is
// none. Test binaries that run at once wait for the one that does.
func assemble(ctx context.Context) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	files, version, key, err := sources()
	if err != nil {
		return "", err
	}
	base := filepath.Join(cache, "tidings-test-elasticsearch")
	if err := os.MkdirAll(base, 0o755); err != nil {
		return "", err
	}
	lock := flock.New(filepath.Join(base, "lock"))
	if err := lock.Lock(); err != nil {
		return "", err
	}
	defer func() { _ = lock.Unlock() }()
	home := filepath.Join(base, version+"-"+key)
	if _, err := os.Stat(home); err == nil {
		return home, nil
	}
	made := home + ".new"
	if err := os.RemoveAll(made); err != nil {
		return "", err
	}
	a := assembly{ctx: ctx, home: made, files: files, version: version}
	if err := a.all(); err != nil {
		return "", err
	}
	return home, os.Rename(made, home)
}

// sources are the files of server/ by name, the version in the pom and a key that
// changes with any of them.
func sources() (files map[string][]byte, version, key string, err error) {
	entries, err := server.ReadDir("server")
	if err != nil {
		return nil, "", "", err
	}
	files, sum := make(map[string][]byte), sha256.New()
	for _, entry := range entries {
		content, err := server.ReadFile("server/" + entry.Name())
		if err != nil {
			return nil, "", "", err
		}
		files[entry.Name()] = content
		sum.Write([]byte(entry.Name()))
		sum.Write(content)
	}
	found := versionLine.FindSubmatch(files["pom.xml"])
	if found == nil {
		return nil, "", "", errors.New("the pom names no version of Elasticsearch")
	}
	return files, string(found[1]), hex.EncodeToString(sum.Sum(nil))[:12], nil
}

// assembly makes one server directory.
type assembly struct {
	ctx     context.Context
	home    string
	files   map[string][]byte
	version string
}

func (a assembly) all() error {
	for _, step := range []func() error{a.unpack, a.jars, a.netty, a.compile, a.words} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func (a assembly) path(parts ...string) string {
	return filepath.Join(append([]string{a.home}, parts...)...)
}

func (a assembly) unpack() error {
	for _, folder := range []string{"src", "lib", "config", "plugins", "launcher", "classes", "modules/transport-netty4", "modules/words"} {
		if err := os.MkdirAll(a.path(folder), 0o755); err != nil {
			return err
		}
	}
	for name, content := range a.files {
		if err := os.WriteFile(a.path("src", name), content, 0o644); err != nil {
			return err
		}
	}
	return os.WriteFile(a.path("config", "log4j2.properties"), a.files["log4j2.properties"], 0o644)
}

func (a assembly) jars() error {
	return a.run("mvn", "-B", "-q", "-f", a.path("src", "pom.xml"), "dependency:copy-dependencies",
		"-DoutputDirectory="+a.path("lib"))
}

// netty moves the HTTP transport, which is a module with a descriptor inside its
// jar. The server runs from the class path, so the module must not be named.
func (a assembly) netty() error {
	folder := a.path("modules", "transport-netty4")
	for _, pattern := range []string{"netty-*.jar", "transport-netty4-*.jar"} {
		found, err := filepath.Glob(a.path("lib", pattern))
		if err != nil {
			return err
		}
		for _, jar := range found {
			if err := os.Rename(jar, filepath.Join(folder, filepath.Base(jar))); err != nil {
				return err
			}
		}
	}
	jar, err := zip.OpenReader(filepath.Join(folder, "transport-netty4-"+a.version+".jar"))
	if err != nil {
		return err
	}
	defer jar.Close()
	file, err := jar.Open("META-INF/es-plugins/transport-netty4/plugin-descriptor.properties")
	if err != nil {
		return err
	}
	defer file.Close()
	descriptor, err := io.ReadAll(file)
	if err != nil {
		return err
	}
	lines := bytes.SplitAfter(descriptor, []byte("\n"))
	var kept []byte
	for _, line := range lines {
		if !bytes.HasPrefix(line, []byte("modulename=")) {
			kept = append(kept, line...)
		}
	}
	return os.WriteFile(filepath.Join(folder, "plugin-descriptor.properties"), kept, 0o644)
}

func (a assembly) compile() error {
	classPath := a.path("lib", "*")
	return errors.Join(
		a.run("javac", "-cp", classPath, "-d", a.path("launcher"), a.path("src", "Launcher.java")),
		a.run("javac", "-cp", classPath, "-d", a.path("classes"), a.path("src", "Words.java")),
	)
}

// words makes the module that has a tokenizer: the published server lacks the
// modules that the distribution bundles, and that is what Tidings uses of them.
func (a assembly) words() error {
	folder := a.path("modules", "words")
	descriptor := bytes.ReplaceAll(a.files["plugin-descriptor.properties"], []byte("@VERSION@"), []byte(a.version))
	if err := os.WriteFile(filepath.Join(folder, "plugin-descriptor.properties"), descriptor, 0o644); err != nil {
		return err
	}
	jar, err := os.Create(filepath.Join(folder, "words.jar"))
	if err != nil {
		return err
	}
	archive := zip.NewWriter(jar)
	return errors.Join(archive.AddFS(os.DirFS(a.path("classes"))), archive.Close(), jar.Close())
}

func (a assembly) run(name string, args ...string) error {
	output, err := exec.CommandContext(a.ctx, name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, output)
	}
	return nil
}
