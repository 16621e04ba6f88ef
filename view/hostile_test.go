package view

import (
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"staffeln/internal/visible"
)

// hostile are names that tenants may give to their objects.
var hostile = map[string]string{
	"markup":        `<script>alert(1)</script><img src=x onerror=alert(1)></td></table><style>*{display:none}</style>`,
	"quotes":        `" onmouseover="alert(1)' style='x:y` + "`",
	"CRLF":          "acme\r\nBcc: mallory@evil.example\r\n\r\n<b>hello</b>",
	"bidirectional": "acme\u202egnp.exe\u202c \u2066x\u2069 \u200f",
	"long":          strings.Repeat("x", 255),
	"emoji":         "💾👩\u200d💻 naïve",
	"template":      `{{.ID}} {{template "mail"}} ${x} %s%n`,
	"entities":      "&lt;script&gt; &amp; &#60;",
	"not a text":    "a\xff\xfe\x00b",
	"comment":       "--> <!-- ]]> <![CDATA[",
	"url":           "javascript:alert(1) http://evil.example/x.png",
}

// filled returns the full day with the name in each text that others choose.
func filled(name string) Report {
	r := day()
	r.Group = r.Projects[0].ID
	for i := range r.Projects {
		p := &r.Projects[i]
		p.Name, p.QuotaFault, p.Succeeded = name, name, p.Succeeded[:2]
		each := func(v *VolumeNames) { v.VolumeName, v.ServerName = name, name }
		for i := range p.Succeeded {
			each(&p.Succeeded[i].VolumeNames)
		}
		for i := range p.Failed {
			each(&p.Failed[i].VolumeNames)
			p.Failed[i].Text, p.Failed[i].RequestID = name, name
		}
		for i := range p.Late {
			each(&p.Late[i].VolumeNames)
		}
		for i := range p.Removed {
			each(&p.Removed[i].VolumeNames)
		}
		for i := range p.Findings {
			p.Findings[i].Detail, p.Findings[i].Object = name, name
		}
	}
	return r
}

func TestHostileNamesAreOnlyText(t *testing.T) {
	plain := skeleton(t, filled("acme"))
	for what, name := range hostile {
		t.Run(what, func(t *testing.T) { harmless(t, plain, name) })
	}
	t.Run("any", rapid.MakeCheck(func(rt *rapid.T) {
		name := rapid.String().Draw(rt, "name")
		if strings.TrimSpace(visible.Text(name)) == "" {
			name += "x"
		}
		harmless(rt, plain, name)
	}))
}

type failer interface {
	require.TestingT
	Helper()
}

func harmless(t failer, plain, name string) {
	t.Helper()
	r := filled(name)
	require.Equal(t, plain, skeleton(t, r), "the page has other markup than with a plain name")
	page, err := r.HTML()
	require.NoError(t, err)
	onlyText(t, page, r.Text(), r.Subject())
}

// onlyText checks that no character of a name reverses text, or begins a line or a header.
func onlyText(t failer, page, text, subject string) {
	t.Helper()
	for _, form := range []string{page, text, subject} {
		require.NotRegexp(t, "[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029\r\x00-\x08]", form)
	}
	require.NotContains(t, subject, "\n")
	require.LessOrEqual(t, len([]rune(subject)), 200)
	require.NotRegexp(t, `(?m)^Bcc`, text)
}

var attributes = regexp.MustCompile(`^(Bcc|on[a-z]+)$`)

// skeleton returns the markup of the page: its elements and attributes, in order, without its text.
func skeleton(t failer, r Report) string {
	t.Helper()
	page, err := r.HTML()
	require.NoError(t, err)
	return markup(t, page)
}

func markup(t failer, page string) string {
	t.Helper()
	_, page, found := strings.Cut(page, "<body")
	require.True(t, found)
	page, _, _ = strings.Cut(page, "</html>")
	d := xml.NewDecoder(strings.NewReader("<body" + page))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	var b strings.Builder
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return b.String()
		}
		require.NoError(t, err)
		switch e := token.(type) {
		case xml.StartElement:
			b.WriteString("<" + e.Name.Local)
			for _, a := range e.Attr {
				require.NotRegexp(t, attributes, a.Name.Local)
				b.WriteString(" " + a.Name.Local + "=" + a.Value)
			}
			b.WriteString(">")
		case xml.EndElement:
			b.WriteString("</" + e.Name.Local + ">")
		case xml.Comment, xml.Directive, xml.ProcInst:
			require.Fail(t, "a comment or directive", "%v", token)
		}
	}
}
