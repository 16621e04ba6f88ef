package db

import (
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
)

// notCompared has the fields that Same does not compare, and why.
var notCompared = map[string]string{
	"SeenAt":            "a volume that is neither unknown nor gone was seen at the newest plan",
	"DecidedAt":         "that it was decided about counts, when does not",
	"Ends":              "a table of its own",
	"RemovalDueAt":      "of retention and its worker, no plan writes it",
	"RemovalFailures":   "of the worker",
	"RemovalNextTryAt":  "of the worker",
	"LeaseUntil":        "of the worker",
	"Usual":             "of the worker",
	"Retention.Owner":   "ProjectID",
	"Retention.Since":   "TransferredAt",
	"Retention.Shorter": "tried by its value",
}

// A field that a plan changes but Same does not compare would never be written.
func TestSameComparesEveryField(t *testing.T) {
	t.Parallel()
	whole := func() Volume {
		at := func(n int) *time.Time { return new(base.Add(time.Duration(n) * time.Second)) }
		return Volume{
			ProtectedSince: at(1), TransferredAt: at(2), GoneAt: at(3), DecidedAt: at(4), DecisionUntil: at(5),
			Retention: backup.Retention{Shorter: &backup.Period{Days: 1}, ShorterSince: base, ShorterSeen: time.Hour, ShorterSeenAt: base},
		}
	}
	require.True(t, whole().Same(whole()))
	tried := 0
	var try func(prefix string, of reflect.Type, path []int)
	try = func(prefix string, of reflect.Type, path []int) {
		for i := range of.NumField() {
			name, field := prefix+of.Field(i).Name, append(append([]int{}, path...), i)
			if name == "Retention" {
				try("Retention.", of.Field(i).Type, field)
				continue
			}
			v := whole()
			setDifferent(t, name, reflect.ValueOf(&v).Elem().FieldByIndex(field))
			if _, may := notCompared[name]; may {
				assert.True(t, v.Same(whole()) || name == "Retention.Shorter", "%s counts: it needs no exception", name)
				continue
			}
			tried++
			assert.False(t, v.Same(whole()), "%s does not count", name)
			assert.False(t, whole().Same(v), "%s does not count", name)
		}
	}
	try("", reflect.TypeFor[Volume](), nil)
	assert.Greater(t, tried, 20)
	for _, change := range []func(*Volume){
		func(v *Volume) { v.Retention.Shorter = &backup.Period{Days: 2} }, func(v *Volume) { v.Retention.Shorter = nil }, func(v *Volume) { v.DecidedAt = nil },
		func(v *Volume) { v.GoneAt = nil }, func(v *Volume) { v.DecisionUntil = nil },
	} {
		v := whole()
		change(&v)
		assert.False(t, v.Same(whole()))
		assert.False(t, whole().Same(v))
	}
}

// setDifferent sets a field to another value.
func setDifferent(t *testing.T, name string, field reflect.Value) {
	t.Helper()
	switch old := field.Interface().(type) {
	case *time.Time:
		field.Set(reflect.ValueOf(new(base.Add(time.Hour))))
	case time.Time:
		field.Set(reflect.ValueOf(old.Add(time.Hour)))
	case backup.Period:
		field.Set(reflect.ValueOf(backup.Period{Days: 3}))
	case *backup.Period:
		field.Set(reflect.ValueOf(&backup.Period{Days: 3}))
	case map[string]time.Time:
		field.Set(reflect.ValueOf(map[string]time.Time{"p": base}))
	default:
		switch field.Kind() {
		case reflect.String:
			field.SetString("other")
		case reflect.Int, reflect.Int64:
			field.SetInt(field.Int() + 1)
		case reflect.Bool:
			field.SetBool(!field.Bool())
		default:
			require.FailNow(t, "no other value of "+name)
		}
	}
}
