package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"strings"

	"staffeln/backup"
)

// cinderBody is the part of Cinder's body that the judgement needs. Other values are checked for syntax and skipped; no values
// are built from them.
type cinderBody struct {
	id, owner, description word
	tags                   tags
	user, project          word
	roles                  words
}

var (
	errNoObject = errors.New("want an object")
	errTwice    = errors.New("a key comes twice")
	errEscape   = errors.New("an escape can't be read")
	errTrailing = errors.New("something follows the object")
)

// why returns the reason that the caller gets. The messages of the JSON package could repeat a part of the body.
func why(err error) string {
	for _, known := range []error{errNoObject, errTwice, errEscape, errTrailing} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	return "it can't be read"
}

func (t *cinderBody) backup() backup.Backup {
	b := backup.Backup{ID: string(t.id), UserID: string(t.owner), Description: string(t.description)}
	if t.tags.installation != "" {
		b.Metadata = map[string]string{backup.TagInstallation: string(t.tags.installation)}
	}
	return b
}

// form reads the two parameters that matter. The others are not even unescaped.
func (t *cinderBody) form(body string) error {
	var seen [2]bool
	for pair := range strings.SplitSeq(body, "&") {
		key, value, _ := strings.Cut(pair, "=")
		if strings.ContainsAny(key, "%+") {
			unescaped, err := url.QueryUnescape(key)
			if err != nil {
				return errEscape
			}
			key = unescaped
		}
		which := 0
		read := t.target
		switch key {
		case "target":
		case "credentials":
			which, read = 1, t.credentials
		default:
			continue
		}
		if seen[which] {
			return errTwice
		}
		seen[which] = true
		text, err := url.QueryUnescape(value)
		if err != nil {
			return errEscape
		}
		if text == "" {
			continue
		}
		if err := whole(strings.NewReader(text), read); err != nil {
			return err
		}
	}
	return nil
}

func (t *cinderBody) json(body []byte) error {
	return whole(bytes.NewReader(body), func(d *json.Decoder) error {
		return object(d, map[string]func(*json.Decoder) error{"target": t.target, "credentials": t.credentials})
	})
}

// whole reads one value and returns an error if anything follows it.
func whole(text io.Reader, read func(*json.Decoder) error) error {
	d := json.NewDecoder(text)
	if err := read(d); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errTrailing
	}
	return nil
}

func (t *cinderBody) target(d *json.Decoder) error {
	return object(d, map[string]func(*json.Decoder) error{
		"id": into(&t.id), "user_id": into(&t.owner), "display_description": into(&t.description), "metadata": into(&t.tags),
	})
}

func (t *cinderBody) credentials(d *json.Decoder) error {
	return object(d, map[string]func(*json.Decoder) error{"user_id": into(&t.user), "project_id": into(&t.project), "roles": into(&t.roles)})
}

func into(value any) func(*json.Decoder) error {
	return func(d *json.Decoder) error { return d.Decode(value) }
}

// object reads an object or null, and calls the reader of each key that matters. It is an error if such a key comes twice: of
// two parsers of the same body, one could take the first value and the other the last.
func object(d *json.Decoder, keys map[string]func(*json.Decoder) error) error {
	open, err := d.Token()
	switch {
	case err != nil:
		return err
	case open == nil:
		return nil
	case open != json.Delim('{'):
		return errNoObject
	}
	seen := make(map[string]bool, len(keys))
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return err
		}
		key, _ := token.(string)
		read, known := keys[key]
		switch {
		case !known:
			read = into(new(ignored))
		case seen[key]:
			return errTwice
		default:
			seen[key] = true
		}
		if err := read(d); err != nil {
			return err
		}
	}
	_, err = d.Token()
	return err
}
