package cli

import "github.com/spf13/cobra"

// Commands returns the commands that operators type.
func Commands() []*cobra.Command {
	return []*cobra.Command{
		statusCommand(), backupsCommand(), explainCommand(), retentionCommand(), auditCommand(), doctorCommand(), reportCommand(),
		backupNowCommand(), cancelCommand(), pauseCommand(), resumeCommand(), purgeProjectCommand(), confirmLostCommand(),
		completionCommand(),
	}
}
