package report

import "encoding/json"

// Event is the report as the fields of one event of the log: its numbers, to be searched for, and all of it.
func (r Report) Event() (map[string]any, error) {
	whole, err := r.JSON()
	if err != nil {
		return nil, err
	}
	c := r.Count()
	return map[string]any{
		"report": r.ID, "group": r.Group, "from": r.From, "at": r.At, "verdict": c.Sentence(), "projects": len(r.Projects),
		"succeeded": c.Succeeded, "failed": c.Failed, "late": c.Late, "never_backed_up": c.Never,
		"removed": c.Removed, "removed_early": c.Early, "fewer_than_promised": c.Fewer, "findings": c.Findings,
		"content": json.RawMessage(whole),
	}, nil
}
