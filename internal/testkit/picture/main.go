// Command picture draws a page of the demo's live view as an SVG. It reads the bytes that the terminal got from standard
// input, and writes to standard output. `make pictures` uses it.
package main

import (
	"errors"
	"flag"
	"fmt"
	"html"
	"io"
	"os"
	"regexp"
	"strings"
	"unicode/utf8"
)

// Sizes in pixels: of a character, and of the margin around the page.
const (
	cellWidth, cellHeight, baseline = 8.43, 16, 13
	margin                          = 16
)

// svgStart has the styles that the demo uses. The widths of the texts are fixed, so that another font does not move them.
const svgStart = `<svg xmlns="http://www.w3.org/2000/svg" width="%[1]d" height="%[2]d" viewBox="0 0 %[1]d %[2]d">
<title>%[3]s</title>
<style>
text { white-space: pre; font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #d0d7de }
.bold { font-weight: bold } .faint { fill-opacity: .6 }
.red { fill: #ff7b72 } .green { fill: #56d364 } .yellow { fill: #e3b341 } .magenta { fill: #d2a8ff }
</style>
<rect width="100%%" height="100%%" rx="8" fill="#0d1117"/>
`

// styles maps SGR codes to the styles of svgStart.
var styles = map[string]string{"1": "bold", "2": "faint", "31": "red", "32": "green", "33": "yellow", "35": "magenta"}

// pageStart is sent before each page of the live view.
const pageStart = "\x1b[H"

var (
	styled = regexp.MustCompile(`\x1b\[([0-9;]*)m`)
	wipes  = regexp.MustCompile(`\x1b\[[JK]|\r`)
)

func main() {
	at := flag.String("at", "", "the first page that this regular expression matches, colours aside, is drawn")
	title := flag.String("title", "", "what the picture shows")
	flag.Parse()
	if err := run(*at, *title); err != nil {
		fmt.Fprintln(os.Stderr, "picture:", err)
		os.Exit(1)
	}
}

func run(at, title string) error {
	wanted, err := regexp.Compile(at)
	if err != nil {
		return err
	}
	sent, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	pages := strings.Split(string(sent), pageStart)
	for _, page := range pages[min(1, len(pages)-1) : len(pages)-1] { // without the text before the first page, and without the last page, which may be incomplete
		page = wipes.ReplaceAllString(page, "")
		if wanted.MatchString(styled.ReplaceAllString(page, "")) {
			_, err := io.WriteString(os.Stdout, draw(strings.Split(page, "\n"), title))
			return err
		}
	}
	return errors.New("no page matches: was the demo watched in a terminal, until its end?")
}

func draw(lines []string, title string) string {
	var b strings.Builder
	var classes []string
	columns := 0
	for i, line := range lines {
		fmt.Fprintf(&b, `<text y="%d">`, margin+baseline+i*cellHeight)
		column := 0
		for begins := 0; begins < len(line); {
			ends := len(line)
			code := styled.FindStringSubmatchIndex(line[begins:])
			if code != nil {
				ends = begins + code[0]
			}
			if span := line[begins:ends]; span != "" {
				width := utf8.RuneCountInString(span)
				fmt.Fprintf(&b, `<tspan x="%.1f" textLength="%.1f" class="%s">%s</tspan>`, margin+float64(column)*cellWidth,
					float64(width)*cellWidth, strings.Join(classes, " "), html.EscapeString(span))
				column += width
			}
			if code == nil {
				break
			}
			classes = restyled(classes, line[begins+code[2]:begins+code[3]])
			begins += code[1]
		}
		columns = max(columns, column)
		b.WriteString("</text>\n")
	}
	width, height := 2*margin+int(float64(columns)*cellWidth+1), 2*margin+len(lines)*cellHeight
	return fmt.Sprintf(svgStart, width, height, html.EscapeString(title)) + b.String() + "</svg>\n"
}

// restyled returns the styles after these codes. An unknown code resets them.
func restyled(classes []string, codes string) []string {
	for code := range strings.SplitSeq(codes, ";") {
		if style, known := styles[code]; known {
			classes = append(classes, style)
		} else {
			classes = nil
		}
	}
	return classes
}
