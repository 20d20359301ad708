package figures

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"math"
	"slices"
)

// Sizes of a chart, in pixels. Ratios are drawn on a logarithmic axis from a tenth of what
// must be to ten times that.
const (
	chartLabel, chartPlot, chartNote = 380, 360, 60
	chartRow, chartTop               = 22, 40
	chartDecades                     = 1.0
)

// chartOf draws how far the figures with a bound are from it: a bar from 1, the median's
// ratio, and a line from the worst round to the best. Nil where there is none to draw.
func chartOf(benchmark string, rows []*row) []byte {
	type bar struct {
		label              string
		ratio, least, most float64
		reached            bool
	}
	var bars []bar
	for _, row := range rows {
		if row.must == nil || len(row.values) == 0 {
			continue
		}
		value := median(row.values)
		ratio := row.must.Ratio(value)
		one, other := row.must.Ratio(slices.Min(row.values)), row.must.Ratio(slices.Max(row.values))
		if ratio == nil || one == nil || other == nil {
			continue
		}
		bars = append(bars, bar{
			label: row.must.Row + "  " + row.name, ratio: *ratio, reached: row.must.Reached(value),
			least: min(*one, *other), most: max(*one, *other),
		})
	}
	if len(bars) == 0 {
		return nil
	}
	width, height := chartLabel+chartPlot+chartNote, chartTop+chartRow*len(bars)+24
	var out bytes.Buffer
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" font-family="sans-serif" font-size="12">`+"\n", width, height, width, height)
	fmt.Fprintf(&out, "<title>%s</title>\n", escaped("Figures of "+benchmark+" as multiples of what they must be"))
	fmt.Fprintf(&out, `<rect width="%d" height="%d" fill="#ffffff"/>`+"\n", width, height)
	fmt.Fprintf(&out, `<text x="8" y="18" font-weight="bold" fill="#1b1f24">%s</text>`+"\n", escaped(benchmark+": multiples of what must be, 1 is reached"))
	for _, mark := range []float64{0.1, 0.2, 0.5, 1, 2, 5, 10} {
		x, colour := position(mark), "#d0d7de"
		if mark == 1 {
			colour = "#1b1f24"
		}
		fmt.Fprintf(&out, `<line x1="%.1f" y1="28" x2="%.1f" y2="%d" stroke="%s"/>`+"\n", x, x, height-20, colour)
		fmt.Fprintf(&out, `<text x="%.1f" y="%d" text-anchor="middle" fill="#57606a">%s</text>`+"\n", x, height-6, number(mark))
	}
	for i, bar := range bars {
		y := chartTop + chartRow*i
		from, to := min(position(1), position(bar.ratio)), max(position(1), position(bar.ratio))
		colour := "#0b7285" // and to the right of the line
		if !bar.reached {
			colour = "#b35900"
		}
		fmt.Fprintf(&out, `<text x="%d" y="%d" text-anchor="end" fill="#1b1f24">%s</text>`+"\n", chartLabel-8, y+10, escaped(bar.label))
		fmt.Fprintf(&out, `<rect x="%.1f" y="%d" width="%.1f" height="12" fill="%s"/>`+"\n", from, y, max(to-from, 1), colour)
		fmt.Fprintf(&out, `<line x1="%.1f" y1="%d" x2="%.1f" y2="%d" stroke="#1b1f24"/>`+"\n", position(bar.least), y+6, position(bar.most), y+6)
		fmt.Fprintf(&out, `<text x="%d" y="%d" fill="%s">%s</text>`+"\n", chartLabel+chartPlot+8, y+10, colour, number(bar.ratio))
	}
	out.WriteString("</svg>\n")
	return out.Bytes()
}

// position is where a ratio is on the axis; what is beyond its ends is at them.
func position(ratio float64) float64 {
	decades := min(max(math.Log10(ratio), -chartDecades), chartDecades)
	return chartLabel + chartPlot*(decades+chartDecades)/(2*chartDecades)
}

func escaped(text string) string {
	var out bytes.Buffer
	_ = xml.EscapeText(&out, []byte(text)) // a buffer takes everything
	return out.String()
}
