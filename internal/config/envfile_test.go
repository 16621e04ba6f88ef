package config

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Each line means the same to systemd (252 and newer) and compose, or only one of them reads it at all; or it is a fault.
func TestEnvFileLine(t *testing.T) {
	const (
		comment, dollar, backslash = "begins a comment at #", "compose replaces $", `systemd replaces \`
		behind, noEnd, name        = "text behind the closing quote", "the closing quote is missing", "is not the name of a variable"
		differently                = "read \\%s differently"
	)
	for _, c := range []struct{ line, value, fault string }{
		{line: `A=b`, value: `b`},
		{line: `A=`, value: ``},
		{line: `  A = b c  `, value: `b c`},
		{line: "\tA\t=\tb\t", value: `b`},
		{line: "A=b\r", value: `b`},
		{line: `export A=b`, value: `b`},
		{line: "export \t A=b", value: `b`},
		{line: `A=b=c`, value: `b=c`},
		{line: `A=postgres://u:p%20w@h:5432/d?sslmode=verify-full&x=y`, value: `postgres://u:p%20w@h:5432/d?sslmode=verify-full&x=y`},
		{line: `A=b#c`, value: `b#c`},
		{line: `A=b;c`, value: `b;c`},
		{line: `A=b'c"d`, value: `b'c"d`},
		{line: `A=größe`, value: `größe`},
		{line: `A=#b`, fault: comment},
		{line: `A= # b`, fault: comment},
		{line: `A=b # c`, fault: comment},
		{line: "A=b\t#c", fault: comment},
		{line: `A=b$c`, fault: dollar},
		{line: `A=b$$c`, fault: dollar},
		{line: `A=b\c`, fault: backslash},
		{line: `A=b\`, fault: backslash},
		{line: "A=b\u00a0", fault: "space of another kind"},
		{line: "A=\u00a0b", fault: "space of another kind"},

		{line: `A=''`, value: ``},
		{line: `A=' b # "c" $d \e '`, value: ` b # "c" $d \e `},
		{line: `A='b' `, value: `b`},
		{line: "A='b'\r", value: `b`},
		{line: "A='b\tc'", value: "b\tc"},
		{line: `A='b`, fault: noEnd},
		{line: `A='b\'`, fault: `\' ends the value in systemd`},
		{line: `A='b\'c'`, fault: `\' ends the value in systemd`},
		{line: `A='b'c`, fault: behind},
		{line: `A='b''c'`, fault: behind},
		{line: `A='b' # c`, fault: behind},

		{line: `A=""`, value: ``},
		{line: `A=" b # 'c' "`, value: ` b # 'c' `},
		{line: `A="b\"c"`, value: `b"c`},
		{line: `A="b\\c"`, value: `b\c`},
		{line: `A="b\\"`, value: `b\`},
		{line: `A="b\\\"c"`, value: `b\"c`},
		{line: `A="b\$c"`, value: `b$c`},
		{line: `A="b\\\$c"`, value: `b\$c`},
		{line: `A="b$c"`, fault: dollar},
		{line: `A="b\\$c"`, fault: dollar},
		{line: `A="b\nc"`, fault: strings.ReplaceAll(differently, "%s", "n")},
		{line: "A=\"b\\`c\"", fault: strings.ReplaceAll(differently, "%s", "`")},
		{line: `A="b\qc"`, fault: strings.ReplaceAll(differently, "%s", "q")},
		{line: `A="b`, fault: noEnd},
		{line: `A="b\"`, fault: noEnd},
		{line: `A="b\`, fault: noEnd},
		{line: `A="b"c`, fault: behind},
		{line: `A="b" "c"`, fault: behind},
		{line: `A="b" # c`, fault: behind},

		{line: `A`, fault: "want NAME=VALUE"},
		{line: `export A`, fault: "want NAME=VALUE"},
		{line: `A: b`, fault: "want NAME=VALUE"},
		{line: `[Service]`, fault: "want NAME=VALUE"},
		{line: `=b`, fault: name},
		{line: `1A=b`, fault: name},
		{line: `A-B=c`, fault: name},
		{line: `A B=c`, fault: name},
		{line: `set A=c`, fault: name},
		{line: "\ufeffA=b", fault: name},
		{line: `Ä=b`, fault: name},
		{line: `export =b`, fault: name},
		{line: `export=b`, value: `b`},
		{line: `exportA=b`, value: `b`},
		{line: "A=b\x00", fault: "control character"},
		{line: "A=b\rC=d", fault: "control character"},
		{line: "A=\x1b[31m", fault: "control character"},
		{line: "A=\xff", fault: "not UTF-8"},
	} {
		all, err := parseEnvFile("f.env", c.line)
		if c.fault != "" {
			require.ErrorContains(t, err, c.fault, "%q", c.line)
			require.ErrorContains(t, err, "f.env:1: ", "%q", c.line)
			assert.Empty(t, all, "%q", c.line)
			continue
		}
		if assert.NoError(t, err, "%q", c.line) && assert.Len(t, all, 1, "%q", c.line) {
			assert.Equal(t, c.value, all[0].value, "%q", c.line)
			assert.Regexp(t, `^(A|export|exportA)$`, all[0].name, "%q", c.line)
		}
	}
	for _, line := range []string{"", " \t", "# b", "  ; b", "#A=b", `# 'b`, "\r"} {
		all, err := parseEnvFile("f.env", line)
		require.NoError(t, err, "%q", line)
		assert.Empty(t, all, "%q", line)
	}
	for _, line := range []string{`# b\`, `;b\ `} {
		_, err := parseEnvFile("f.env", line)
		require.ErrorContains(t, err, "takes the next line as a comment", "%q", line)
	}
}

func TestEnvFileReportsAllFaultsWithTheirLinesAndNoValue(t *testing.T) {
	all, err := parseEnvFile("/etc/x.env", "A=1\n\nSECRET=gehe$im\n# c\nB=2\nC=\"geheim\nA=3")
	require.EqualError(t, err, "/etc/x.env:3: SECRET: compose replaces $, systemd does not: write the value in single quotes\n"+
		"/etc/x.env:6: C: the closing quote is missing on this line")
	require.Equal(t, []assignment{{"A", "1"}, {"B", "2"}, {"A", "3"}}, all)
}

func TestQuotedValueIsReadAsItWas(t *testing.T) {
	for value, want := range map[string]string{
		"": "", "2w3d": "2w3d", "http://[::1]:5000/v3": "'http://[::1]:5000/v3'", "a b": "'a b'", "pa$$ #1": "'pa$$ #1'", "#a": "'#a'", ` a `: `' a '`,
		`it's`: `"it's"`, `it's "$x" \ here`: `"it's \"\$x\" \\ here"`, `end\`: `"end\\"`, "`id`": "'`id`'", "ä": "'ä'", "a\tb": "'a\tb'",
	} {
		quoted, err := Quote(value)
		require.NoError(t, err, value)
		assert.Equal(t, want, quoted)
		all, err := parseEnvFile("f", "A="+quoted+"\n")
		require.NoError(t, err, quoted)
		assert.Equal(t, []assignment{{"A", value}}, all)
	}
	for value, want := range map[string]string{"gehe\nim": "contains a control character", "gehe\x00im": "contains a control character", "gehe\xffim": "not UTF-8"} {
		_, err := Quote(value)
		require.EqualError(t, err, want)
	}
}

func FuzzParseEnvFile(f *testing.F) {
	f.Add("A='b'\nexport C=\"d\\\"e\"\n")
	f.Fuzz(func(t *testing.T, text string) {
		all, _ := parseEnvFile("f", text)
		for _, a := range all {
			require.Regexp(t, variableName, a.name)
			// A value in double quotes, with what must be escaped escaped, is the same value.
			again, err := parseEnvFile("f", a.name+`="`+strings.NewReplacer(`\`, `\\`, `"`, `\"`, `$`, `\$`).Replace(a.value)+`"`)
			require.NoError(t, err)
			require.Equal(t, []assignment{a}, again)
			quoted, err := Quote(a.value)
			require.NoError(t, err)
			again, err = parseEnvFile("f", a.name+"="+quoted)
			require.NoError(t, err)
			require.Equal(t, []assignment{a}, again)
		}
	})
}
