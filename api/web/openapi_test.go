package web

import (
	"encoding/json"
	"flag"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write openapi.json anew")

func TestOpenAPIDocumentIsCurrent(t *testing.T) {
	text, err := describe((&Handler{}).operations())
	require.NoError(t, err)
	if *update {
		require.NoError(t, os.WriteFile("openapi.json", text, 0o644))
		return
	}
	require.Equal(t, string(text), string(document), "make it anew: make generate")
}

type object = map[string]any

// describe generates the document.
func describe(operations []operation) ([]byte, error) {
	d := describer{schemas: object{}}
	paths := object{}
	for _, o := range operations {
		paths[o.path] = object{"get": d.operation(o)}
	}
	d.schema(reflect.TypeFor[Problem]())
	text, err := json.MarshalIndent(object{
		"openapi": "3.1.0",
		"info": object{
			"title": "Staffeln", "version": "1",
			"description": "What Staffeln knows of volumes and their backups. A token of a project shows that project, one with an operator's role all. Times are RFC 3339 in UTC. A query with a parameter that is not named here is refused.",
		},
		"security": []object{{"keystone": []string{}}},
		"paths":    paths,
		"components": object{
			"securitySchemes": object{"keystone": object{"type": "apiKey", "in": "header", "name": "X-Auth-Token", "description": "a token of Keystone's"}},
			"schemas":         d.schemas,
		},
	}, "", "  ")
	return append(text, '\n'), err
}

type describer struct{ schemas object }

func (d describer) operation(o operation) object {
	parameters := []object{}
	if strings.Contains(o.path, "{server_id}") {
		parameters = append(parameters, object{"name": "server_id", "in": "path", "required": true, "description": "Nova's ID, or a name", "schema": object{"type": "string"}})
	}
	if strings.Contains(o.path, "{volume_id}") {
		parameters = append(parameters, object{"name": "volume_id", "in": "path", "required": true, "description": "Cinder's ID", "schema": object{"type": "string"}})
	}
	for _, p := range o.parameters {
		parameters = append(parameters, p.describe())
	}
	result := object{"type": "object"}
	if o.example != nil {
		result = d.schema(reflect.TypeOf(o.example))
	}
	problem := object{"application/problem+json": object{"schema": object{"$ref": "#/components/schemas/Problem"}}}
	return object{"operationId": o.id, "summary": o.summary, "parameters": parameters, "responses": object{
		"200":     object{"description": "the result", "content": object{"application/json": object{"schema": result}}},
		"default": object{"description": "400 the query is wrong, 401 no good token, 403 no role, 404 unknown in what the token may see, 429 too many requests, 503 Keystone or the database does not respond", "content": problem},
	}}
}

func (p parameter) describe() object {
	schema := object{"type": "string"}
	switch {
	case p.kind == "integer":
		schema = object{"type": "integer", "minimum": 1, "maximum": maxRows}
	case p.kind == "date-time":
		schema["anyOf"] = []object{{"format": "date-time"}, {"format": "date"}}
	case p.many:
		schema = object{"type": "array", "items": object{"type": "string", "enum": p.words}}
	case p.words != nil:
		schema["enum"] = p.words
	}
	if p.fallback != "" && p.kind != "integer" {
		schema["default"] = p.fallback
	}
	described := object{"name": p.name, "in": "query", "description": p.desc, "schema": schema}
	if p.many {
		described["style"], described["explode"] = "form", false
	}
	return described
}

// schema returns a reference to the schema of a named type, or the schema itself.
func (d describer) schema(t reflect.Type) object {
	switch {
	case t == reflect.TypeFor[time.Time]():
		return object{"type": "string", "format": "date-time"}
	case t.Kind() == reflect.Pointer:
		inner := d.schema(t.Elem())
		return object{"anyOf": []object{inner, {"type": "null"}}}
	}
	switch t.Kind() {
	case reflect.String:
		return object{"type": "string"}
	case reflect.Float64:
		return object{"type": "number"}
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Slice:
		return object{"type": "array", "items": d.schema(t.Elem())}
	case reflect.Struct:
		if _, known := d.schemas[t.Name()]; !known {
			properties := object{}
			d.schemas[t.Name()] = object{"type": "object", "additionalProperties": false, "properties": properties}
			d.fields(t, properties)
			d.schemas[t.Name()] = object{
				"type": "object", "additionalProperties": false, "properties": properties, "required": slices.Sorted(maps.Keys(properties)),
			}
		}
		return object{"$ref": "#/components/schemas/" + t.Name()}
	}
	return object{"type": "integer"}
}

// fields adds the fields of a struct, including those of embedded structs.
func (d describer) fields(t reflect.Type, properties object) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	for f := range t.Fields() {
		name := f.Tag.Get("json")
		switch {
		case f.Anonymous:
			d.fields(f.Type, properties)
		case f.IsExported() && name != "-":
			property := d.schema(f.Type)
			property["description"] = f.Tag.Get("desc")
			properties[name] = property
		}
	}
}
