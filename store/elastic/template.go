package elastic

import (
	"fmt"
	"strconv"
	"time"

	"tidings/query"
)

// object is a part of a request.
type object map[string]any

// maxWordLength bounds a word in characters. The longest that the analysis gives
// is an address of 320 bytes; the tokenizer's own bound of 255 would cut it.
const maxWordLength = 1024

// anyStems is the field that has the stems of all text fields. Elasticsearch copies
// them there, so that a document need not hold them twice.
const anyStems = "any"

// maxPage is how many hits one request may ask for: Elasticsearch's default.
const maxPage = 10_000

// templateOf is the template of new weeks.
//
// The index is sorted as every page is, so a page ends as soon as it is full.
// Dynamic fields are refused: a document that does not fit is an error to be seen.
// A fsync an answer, explicit refreshes and one copy where there is a second node
// are said rather than left to the cluster's defaults.
func templateOf(c Config) object {
	return object{
		"index_patterns": []string{names{c.Prefix}.newWeeks()},
		"priority":       500,
		"version":        schema,
		"_meta":          object{"description": "One week of events of Tidings"},
		"template": object{
			"settings": object{"index": object{
				"number_of_shards":     strconv.Itoa(c.Shards),
				"auto_expand_replicas": "0-1",
				"refresh_interval":     milliseconds(c.Refresh),
				"translog.durability":  "request",
				"max_result_window":    strconv.Itoa(maxPage),
				"sort.field":           []string{"@timestamp", "tie"},
				"sort.order":           []string{"desc", "desc"},
				"analysis": object{
					"analyzer":  object{"words": object{"type": "custom", "tokenizer": "words"}},
					"tokenizer": object{"words": object{"type": "whitespace", "max_token_length": maxWordLength}},
				},
			}},
			"mappings": mapping(),
		},
	}
}

func mapping() object {
	keyword := object{"type": "keyword"}
	counted := object{"type": "keyword", "index": false}
	// Words keep their positions, for phrases; of stems it is enough which documents
	// have them. Nothing is ranked, so lengths are not kept.
	words, stems := object{}, object{anyStems: stemField()}
	for _, field := range query.TextFields {
		words[string(field)] = object{"type": "text", "analyzer": "words", "norms": false, "index_options": "positions"}
		copied := stemField()
		copied["copy_to"] = "stems." + anyStems
		stems[string(field)] = copied
	}
	return object{
		"dynamic": "strict",
		"_source": object{"includes": []string{"event"}},
		"properties": object{
			"@timestamp": object{"type": "date", "format": "epoch_second"},
			"tie":        object{"type": "long", "index": false},
			"w":          keyword,
			"automated":  object{"type": "boolean"},
			"type":       keyword,
			"user":       keyword,
			"recipient":  keyword,
			"domain":     keyword,
			"message":    keyword,
			"source":     keyword,
			"verdict":    keyword,
			"answer":     keyword,
			"link":       counted,
			"pair":       object{"type": "long", "index": false},
			"words":      object{"properties": words},
			"stems":      object{"properties": stems},
			"event":      object{"type": "object", "enabled": false},
		},
	}
}

func stemField() object {
	return object{"type": "text", "analyzer": "words", "norms": false, "index_options": "docs"}
}

// milliseconds writes a duration as Elasticsearch reads it.
func milliseconds(d time.Duration) string { return fmt.Sprintf("%dms", d.Milliseconds()) }
