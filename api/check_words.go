package api

import (
	"bytes"
	"encoding/json"

	"staffeln/backup"
)

// rolesMost bounds how many roles are read; those that follow tell nothing.
const rolesMost = 32

// A passedOver takes any value and keeps none of it.
type passedOver struct{}

// UnmarshalJSON keeps nothing.
func (*passedOver) UnmarshalJSON([]byte) error { return nil }

// A word is a string, or "" where the value is anything else.
type word string

// UnmarshalJSON reads a string.
func (w *word) UnmarshalJSON(text []byte) error {
	*w = ""
	if text[0] != '"' {
		return nil
	}
	return json.Unmarshal(text, (*string)(w))
}

// words are the strings of a list, or none where the value is anything else.
type words []string

// UnmarshalJSON reads a list.
func (w *words) UnmarshalJSON(text []byte) error {
	*w = nil
	if text[0] != '[' {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(text))
	if _, err := d.Token(); err != nil {
		return err
	}
	for d.More() && len(*w) < rolesMost {
		var one word
		if err := d.Decode(&one); err != nil {
			return err
		}
		*w = append(*w, short(string(one)))
	}
	return nil
}

// tags is what of a backup's metadata names an installation.
type tags struct{ installation word }

// UnmarshalJSON reads an object; anything else tells nothing.
func (t *tags) UnmarshalJSON(text []byte) error {
	*t = tags{}
	if text[0] != '{' {
		return nil
	}
	return object(json.NewDecoder(bytes.NewReader(text)), map[string]func(*json.Decoder) error{backup.TagInstallation: into(&t.installation)})
}
