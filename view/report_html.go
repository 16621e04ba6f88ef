package view

import (
	_ "embed" // for the templates
	"fmt"
	"html/template"
	"strings"

	"staffeln/internal/visible"
)

//go:embed mail.html
var mailHTML string

//go:embed notice.html
var noticeHTML string

// The colours of the light theme, which every mail client shows. The texts are constants, so they are safe in styles.
var (
	boxes = map[Level]template.CSS{
		Green:  "background-color:#e3f4e8; color:#12602f;",
		Yellow: "background-color:#fff2cc; color:#6b4a00;",
		Red:    "background-color:#fde7e6; color:#9c1f18;",
	}
	fills = map[Level]template.CSS{Green: "#2e9e55", Yellow: "#c98a00", Red: "#cc3a32"}
)

// wrapped lets a name without spaces continue in the next line of a narrow page.
const wrapped template.CSS = "word-break:break-word; overflow-wrap:anywhere;"

type quotaLine struct {
	Name, Unit string
	Quota      *Quota
	Fault      string
}

type headingLine struct {
	Name  string
	N     int
	Level Level
}

var mail = template.Must(template.New("mail").Funcs(template.FuncMap{
	"plain":   visible.Text,
	"name":    func(name, id string) string { return visible.Text(Or(name, id)) },
	"plural":  Plural,
	"moment":  Clock,
	"owner":   Owner,
	"ids":     VolumeNames.ids,
	"rest":    func(percent int) int { return 100 - percent },
	"box":     func(l Level) template.CSS { return boxes[l] },
	"fill":    func(l Level) template.CSS { return fills[l] },
	"wrap":    func() template.CSS { return wrapped },
	"quota":   func(name, unit string, q *Quota, fault string) quotaLine { return quotaLine{name, unit, q, fault} },
	"lines":   func(commands []string) string { return strings.Join(CommandLines(commands), "\n") },
	"intro":   func() string { return restoreIntro + " " + RestoreNotes },
	"heading": func(name string, n int, l Level) headingLine { return headingLine{name, n, l} },
}).Parse(mailHTML))

var noticePage = template.Must(mail.New("notice").Parse(noticeHTML))

// HTML returns the report as a page for mail clients. Names that others choose are escaped, never markup.
func (r Report) HTML() (string, error) {
	var page strings.Builder
	if err := mail.Execute(&page, r); err != nil {
		return "", fmt.Errorf("write report %s as HTML: %w", r.ID, err)
	}
	return page.String(), nil
}

// HTML returns the notice as a page for mail clients.
func (n Notice) HTML() (string, error) {
	var page strings.Builder
	if err := noticePage.Execute(&page, n); err != nil {
		return "", fmt.Errorf("write notice %s as HTML: %w", n.ID, err)
	}
	return page.String(), nil
}
