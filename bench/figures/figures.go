// Package figures keeps what measurements found and says what it comes to.
//
// A measurement adds its Figures by name; a Record is the JSON file that holds those of
// many rounds, with the machine they are of. A Must is what a figure has to be. Of a
// record and its musts a Page is written: tables between the markers of a document, and
// charts. The same record gives the same bytes.
package figures

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
)

// Figure is one number that a round found. Value is null where it was not measured.
type Figure struct {
	Name  string   `json:"name"`
	Unit  string   `json:"unit,omitempty"`
	Value *float64 `json:"value"`
}

// Found is what one round of a measurement found, in the order in which it found it. A nil
// one takes everything and keeps nothing.
type Found struct {
	Figures []Figure `json:"figures"`
	// Versions are those of the servers that were measured beside Tidings.
	Versions map[string]string `json:"versions,omitempty"`
	// NotShown is what the measurement itself says that its figures do not show.
	NotShown string `json:"not_shown,omitempty"`
}

// Add adds a figure; what is no number is one that was not measured.
func (f *Found) Add(name, unit string, value float64) {
	if f == nil {
		return
	}
	figure := Figure{Name: name, Unit: unit}
	if !math.IsNaN(value) && !math.IsInf(value, 0) {
		figure.Value = &value
	}
	f.Figures = append(f.Figures, figure)
}

// Version says which server was measured beside Tidings.
func (f *Found) Version(server, version string) {
	if f == nil {
		return
	}
	if f.Versions == nil {
		f.Versions = make(map[string]string)
	}
	f.Versions[server] = version
}

// NotMeasured is the value of a figure that a measurement has a name for and no number.
func NotMeasured() float64 { return math.NaN() }

// Write writes it to a file.
func (f *Found) Write(path string) error { return writeJSON(path, f) }

// ReadFound reads what Write wrote.
func ReadFound(path string) (Found, error) {
	var f Found
	return f, readJSON(path, &f)
}

func readJSON(path string, into any) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	return nil
}

// writeJSON leaves the whole old file or the whole new one.
func writeJSON(path string, of any) error {
	text, err := json.MarshalIndent(of, "", " ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(path+".new", append(text, '\n'), 0o644); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// median is the middle one, or the mean of the two in the middle.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
