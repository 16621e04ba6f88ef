package api

import (
	"bytes"
	"encoding/json"

	"staffeln/backup"
)

// maxRoles is the maximum number of roles that are read; further ones are ignored.
const maxRoles = 32

// An ignored accepts any JSON value and discards it.
type ignored struct{}

// UnmarshalJSON discards the value.
func (*ignored) UnmarshalJSON([]byte) error { return nil }

// A word is a string. It is "" if the JSON value has another type.
type word string

// UnmarshalJSON reads a string.
func (w *word) UnmarshalJSON(text []byte) error {
	*w = ""
	if text[0] != '"' {
		return nil
	}
	return json.Unmarshal(text, (*string)(w))
}

// words is a list of strings. It is nil if the JSON value is not a list.
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
	for d.More() && len(*w) < maxRoles {
		var one word
		if err := d.Decode(&one); err != nil {
			return err
		}
		*w = append(*w, short(string(one)))
	}
	return nil
}

// tags holds the installation that a backup's metadata names.
type tags struct{ installation word }

// UnmarshalJSON reads an object. Other JSON values leave tags empty.
func (t *tags) UnmarshalJSON(text []byte) error {
	*t = tags{}
	if text[0] != '{' {
		return nil
	}
	return object(json.NewDecoder(bytes.NewReader(text)), map[string]func(*json.Decoder) error{backup.TagInstallation: into(&t.installation)})
}
