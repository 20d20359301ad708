package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// cyclonedx lists the modules of a binary.
const cyclonedx = "github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.9.0"

// listModules writes the modules that are linked into a binary, with their licences.
func listModules(ctx context.Context, binary, version, path string) error {
	command := exec.CommandContext(ctx, "go", "run", cyclonedx,
		"bin", "-json", "-noserial", "-std", "-licenses", "-version", version, binary)
	command.Env = append(os.Environ(), "GOFLAGS=")
	return list(command, path)
}

// listPackages writes the packages that the page is built with. `npm ci` must
// have been run in web/.
func listPackages(ctx context.Context, path string) error {
	command := exec.CommandContext(ctx, "npm", "sbom", "--sbom-format", "cyclonedx")
	command.Dir = "web"
	return list(command, path)
}

// list runs a command and keeps the bill of materials that it prints, without
// its time and number, so that the same release has the same list.
func list(command *exec.Cmd, path string) error {
	raw, err := command.Output()
	if err != nil {
		var failed *exec.ExitError
		if errors.As(err, &failed) {
			return fmt.Errorf("%s: %w\n%s", strings.Join(command.Args, " "), err, failed.Stderr)
		}
		return err
	}
	var materials map[string]any
	if err := json.Unmarshal(raw, &materials); err != nil {
		return fmt.Errorf("%s: %w", strings.Join(command.Args, " "), err)
	}
	delete(materials, "serialNumber")
	if metadata, ok := materials["metadata"].(map[string]any); ok {
		delete(metadata, "timestamp")
	}
	out, err := json.MarshalIndent(materials, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(out, '\n'), 0o644)
}

// licences are those that one of our packages may have, by their SPDX names. They
// ask at most that their text goes along; MPL-2.0 is for files that are not changed.
var licences = []string{
	"0BSD", "Apache-2.0", "BlueOak-1.0.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "MIT", "MIT-0",
	"MPL-2.0", "OFL-1.1", "Python-2.0", "Unicode-3.0", "Unlicense", "Zlib",
}

// unlabelled are packages whose licence the tools do not find, and where it was read.
var unlabelled = map[string]string{
	"tidings":     "Apache-2.0: LICENSE",
	"tidings-web": "Apache-2.0: LICENSE",
	"std":         "BSD-3-Clause: go.dev/LICENSE",
}

// licenceChoice is an entry of CycloneDX's licences.
type licenceChoice struct {
	License struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	} `json:"license"`
	Expression string `json:"expression"`
}

// component is a package of a bill of materials.
type component struct {
	Name     string          `json:"name"`
	Licenses []licenceChoice `json:"licenses"`
	Evidence struct {
		Licenses []licenceChoice `json:"licenses"`
	} `json:"evidence"`
}

// checkLicences names every package of a list whose licence is unknown or not allowed.
func checkLicences(path string) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var materials struct {
		Components []component `json:"components"`
	}
	if err := json.Unmarshal(raw, &materials); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if len(materials.Components) == 0 {
		return fmt.Errorf("%s lists nothing", path)
	}
	var problems []error
	for _, c := range materials.Components {
		if problem := c.problem(); problem != "" {
			problems = append(problems, fmt.Errorf("%s: %s", c.Name, problem))
		}
	}
	return errors.Join(problems...)
}

// problem is what is wrong with a package's licences, or nothing.
func (c component) problem() string {
	if _, read := unlabelled[c.Name]; read {
		return ""
	}
	choices := slices.Concat(c.Licenses, c.Evidence.Licenses)
	if len(choices) == 0 {
		return "no licence was found; read it and add it to unlabelled"
	}
	for _, choice := range choices {
		if !choice.allowed() {
			return fmt.Sprintf("licence %q is not on the list", choice.License.ID+choice.License.Name+choice.Expression)
		}
	}
	return ""
}

// allowed reports whether one of the alternatives is on the list.
func (c licenceChoice) allowed() bool {
	if c.Expression == "" {
		return slices.Contains(licences, c.License.ID)
	}
	alternatives := strings.Split(strings.Trim(c.Expression, "()"), " OR ")
	return slices.ContainsFunc(alternatives, func(id string) bool { return slices.Contains(licences, strings.Trim(id, "() ")) })
}
