package chaos

// purges takes the third project away with all that it has, backups and all.
func (w *world) purges() {
	project := w.estate.projects[2]
	w.estate.projects = w.estate.projects[:2]
	w.tell("project %s is purged", project)
	for _, v := range w.living() {
		if v.project == project {
			w.usual(v)
			v.gone, v.protected, v.server, v.hasty = true, false, "", haste{}
			w.changes(v)
		}
	}
	w.sim.PurgeProject(project)
}
