package cloudsim

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// checkProperties refuses properties that the schema of this microversion does not have, with the message of Python's jsonschema.
func checkProperties(name string, raw json.RawMessage, allowed []string) (response, bool) {
	var bad []string
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return badRequest("Invalid input for field/attribute " + name + ". Value: " + pythonRepr(raw) + ". " + pythonRepr(raw) + " is not of type 'object'"), false
	}
	for d.More() {
		key, _ := d.Token()
		var skip json.RawMessage
		_ = d.Decode(&skip) // it was decoded before
		if k, _ := key.(string); !slices.Contains(allowed, k) {
			bad = append(bad, "'"+k+"'")
		}
	}
	switch len(bad) {
	case 0:
		return response{}, true
	case 1:
		return badRequest("Invalid input for field/attribute " + name + ". Value: " + pythonRepr(raw) +
			". Additional properties are not allowed (" + bad[0] + " was unexpected)"), false
	}
	return badRequest("Invalid input for field/attribute " + name + ". Value: " + pythonRepr(raw) +
		". Additional properties are not allowed (" + strings.Join(bad, ", ") + " were unexpected)"), false
}

// pythonRepr returns JSON as Python prints the value, which the messages of the schema check quote.
func pythonRepr(raw []byte) string {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var b strings.Builder
	writeRepr(&b, d)
	return b.String()
}

func writeRepr(b *strings.Builder, d *json.Decoder) {
	t, err := d.Token()
	if err != nil {
		return
	}
	switch v := t.(type) {
	case json.Delim:
		closing := map[json.Delim]string{'{': "}", '[': "]"}[v]
		b.WriteString(v.String())
		for first := true; d.More(); first = false {
			if !first {
				b.WriteString(", ")
			}
			writeRepr(b, d)
			if v == '{' {
				b.WriteString(": ")
				writeRepr(b, d)
			}
		}
		_, _ = d.Token()
		b.WriteString(closing)
	case string:
		if strings.Contains(v, "'") && !strings.Contains(v, `"`) {
			b.WriteString(`"` + v + `"`)
			return
		}
		b.WriteString("'" + strings.NewReplacer(`\`, `\\`, "'", `\'`, "\n", `\n`).Replace(v) + "'")
	case json.Number:
		b.WriteString(v.String())
	case bool:
		b.WriteString(map[bool]string{true: "True", false: "False"}[v])
	case nil:
		b.WriteString("None")
	}
}
