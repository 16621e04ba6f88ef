package view

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Event returns the report as the fields of one log event: its numbers, for searching, and the whole report.
func (r Report) Event() (map[string]any, error) {
	whole, err := oneLine(r.JSON())
	if err != nil {
		return nil, err
	}
	c := r.Count()
	return map[string]any{
		"report": r.ID, "group": r.Group, "from": r.From, "at": r.At, "judgement": c.Sentence(), "projects": len(r.Projects),
		"succeeded": c.Succeeded, "failed": c.Failed, "late": c.Late, "never_backed_up": c.Never,
		"removed": c.Removed, "removed_early": c.Early, "fewer_than_promised": c.Fewer, "findings": c.Findings,
		"content": whole,
	}, nil
}

// oneLine compacts JSON into one line, as a log event must be one line.
func oneLine(text []byte, err error) (json.RawMessage, error) {
	if err != nil {
		return nil, err
	}
	var line bytes.Buffer
	if err := json.Compact(&line, text); err != nil {
		return nil, fmt.Errorf("write JSON on one line: %w", err)
	}
	return line.Bytes(), nil
}
