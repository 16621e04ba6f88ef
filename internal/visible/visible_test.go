package visible

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func TestControlAndFormatCharactersAreEscaped(t *testing.T) {
	t.Parallel()
	for in, out := range map[string]string{
		"data":                         "data",
		"\x1b[2J\x1b]0;owned\aok":      `\x1b[2J\x1b]0;owned\aok`,
		"a\nall is well":               "a all is well",
		"a\tb\u00a0c\u2028d\u0085e\r":  "a b c d e ",
		"\u202egpj.exe":                `\u202egpj.exe`,
		"\u009b2J\x7f\x00":             `\u009b2J\x7f\x00`,
		"\U000E0041\uE000\ufeff\u00ad": `\U000e0041\ue000\ufeff\u00ad`,
		"bad \xff\xc3 utf":             `bad \xff\xc3 utf`,
		"kept \ufffd":                  "kept \ufffd",
		"👩\u200d💻 नि\u200dर":           "👩\u200d💻 नि\u200dर",
		`\x1b written out`:             `\x1b written out`,
	} {
		require.Equal(t, out, Text(in), "%q", in)
	}
	require.Equal(t, "one\ntwo \\x1b", Lines("one\ntwo\t\x1b"))
}

func FuzzWhatActsIsSeen(f *testing.F) {
	f.Add("\x1b[31m\u202e\xff\n")
	f.Fuzz(func(t *testing.T, name string) {
		seen := Text(name)
		require.True(t, utf8.ValidString(seen))
		require.False(t, strings.ContainsFunc(seen, func(r rune) bool { return unicode.IsControl(r) || hasEffect(r) }), "%q", seen)
		require.Equal(t, seen, Text(seen), "a second call changes nothing")

		var out bytes.Buffer
		plain, err := json.Marshal(name)
		require.NoError(t, err)
		n, err := JSON(&out).Write(plain)
		require.NoError(t, err)
		require.Equal(t, len(plain), n)
		require.False(t, strings.ContainsFunc(out.String(), func(r rune) bool { return unicode.IsControl(r) || hasEffect(r) }), "%q", out.String())
		var before, after string
		require.NoError(t, json.Unmarshal(plain, &before))
		require.NoError(t, json.Unmarshal(out.Bytes(), &after))
		require.Equal(t, before, after)
	})
}

func TestNamedHasTheIDBesideACleanName(t *testing.T) {
	t.Parallel()
	require.Equal(t, "id", Named("", "id"))
	require.Equal(t, `a \x1b[2Jb (id)`, Named("a\n\x1b[2Jb", "id"))
}
