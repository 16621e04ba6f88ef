package chaos

// purgeProject deletes the third project with everything in it, including its backups.
func (env *environment) purgeProject() {
	project := env.tenancy.projects[2]
	env.tenancy.projects = env.tenancy.projects[:2]
	env.trace("project %s is purged", project)
	for _, v := range env.living() {
		if v.project == project {
			env.endSituation(v)
			v.gone, v.protected, v.server, v.shortening = true, false, "", shortening{}
			env.requestChanged(v)
		}
	}
	env.sim.PurgeProject(project)
}
