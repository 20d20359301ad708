package cli

import (
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"tidings/mailbox"
)

// progress shows how far a long job is, on a terminal alone.
type progress struct{ bar *progressbar.ProgressBar }

func newProgress(w io.Writer, path string, p mailbox.Progress) *progress {
	file, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		w = io.Discard
	}
	return &progress{progressbar.NewOptions64(
		p.Total,
		progressbar.OptionSetWriter(w),
		progressbar.OptionSetDescription(filepath.Base(path)),
		progressbar.OptionShowBytes(p.Unit == "bytes"),
		progressbar.OptionSetPredictTime(true),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionClearOnFinish(),
	)}
}

// The bar writes to a terminal or nowhere; there is nobody to tell of its
// errors.
func (p *progress) set(now mailbox.Progress) { _ = p.bar.Set64(min(now.Done, now.Total)) }
func (p *progress) finish()                  { _ = p.bar.Finish() }
func (p *progress) say(text string)          { p.bar.Describe(text) }
