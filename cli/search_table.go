package cli

import (
	"cmp"
	"fmt"
	"io"
	"text/tabwriter"
)

// foundTable is the table of an answer.
type foundTable struct {
	By   string `json:"by"`
	Rows []struct {
		Name   string `json:"name"`
		Label  string `json:"label"`
		Events int    `json:"events"`
		People int    `json:"people"`
	} `json:"rows"`
	Total int `json:"total"`
}

// print prints the table, if there is one.
func (t *foundTable) print(w io.Writer) {
	if t == nil || len(t.Rows) == 0 {
		return
	}
	columns := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(columns, "%s\tevents\tpeople\n", t.By)
	for _, row := range t.Rows {
		name := clean(cmp.Or(row.Label, row.Name, "(not known)"))
		fmt.Fprintf(columns, "%s\t%d\t%d\n", name, row.Events, row.People)
	}
	columns.Flush()
	if t.Total > len(t.Rows) {
		fmt.Fprintf(w, "%d of %d rows\n", len(t.Rows), t.Total)
	}
}
