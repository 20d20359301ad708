package postgres

import "strings"

var (
	copied = strings.NewReplacer(`\`, `\\`, "\n", `\n`, "\r", `\r`, "\t", `\t`)
	quoted = strings.NewReplacer(`\`, `\\`, `"`, `\"`)
	// PostgreSQL's texts cannot hold a zero, as such or as JSON writes it.
	zeros = strings.NewReplacer("\x00", "", `\u0000`, "")
)

// AppendCopied appends a line of what COPY reads. Empty texts are null.
func AppendCopied(line []byte, columns ...string) []byte {
	for at, text := range columns {
		if at > 0 {
			line = append(line, '\t')
		}
		if text == "" {
			line = append(line, `\N`...)
			continue
		}
		line = append(line, copied.Replace(zeros.Replace(text))...)
	}
	return append(line, '\n')
}

// Array is a text for a column of the type text[].
func Array(texts []string) string {
	if len(texts) == 0 {
		return ""
	}
	var array strings.Builder
	for at, text := range texts {
		array.WriteByte("{,"[min(at, 1)])
		array.WriteString(`"` + quoted.Replace(text) + `"`)
	}
	return array.String() + "}"
}

// Literal is a text in SQL.
func Literal(text string) string {
	return "'" + strings.ReplaceAll(zeros.Replace(text), "'", "''") + "'"
}
