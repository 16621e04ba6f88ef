package simulation

import (
	"time"
)

// An entry is an action at a time of a day (the first day is 1), which may last for some time.
type entry struct {
	day    int
	at     string
	kind   string
	lasts  time.Duration
	action action
}

// once is the duration of an action that does not last.
const once = time.Duration(0)

// The calendar begins on a Monday. At first, backups are due shortly after midnight; each outage over midnight delays those
// that it affects.
var calendar = []entry{
	// The first week: normal operation.
	{1, "09:17", "server created", once, newServer("acme-shop", "acme", "true", "")},
	{1, "09:23", "volume created", once, newVolume("acme-shop/0", "acme-shop", 20)},
	{1, "09:27", "volume created", once, newVolume("acme-shop/1", "acme-shop", 60)},
	{1, "14:41", "volume attached", once, attach("globex-spare", "globex-web-1")},
	{2, "10:13", "volume extended", once, extend("acme-web-1/1", 25)},
	{2, "11:47", "metadata set", once, wish("hooli-web-2", "true")},
	{2, "15:21", "metadata changed", once, retention("initech-web-1", "3d")},
	{3, "09:33", "backup made by a tenant", once, backUp("globex-web-1/0")},
	{3, "13:11", "metadata garbled", once, retention("acme-mail", "a while")},
	{3, "16:51", "volume detached", once, detach("globex-spare")},
	{4, "02:27", "other installation", once, otherInstallation("acme-web-2", false)},
	{4, "10:37", "backup renamed", once, renameBackups("acme-db-1/1")},
	{4, "21:43", "cinder-backup down", 5 * time.Hour, backupDown()},
	{5, "09:19", "metadata changed", once, wish("initech-fax", "true")},
	{5, "15:31", "backup removed by a tenant", once, removeBackup("acme-web-1/0")},
	{5, "18:07", "volume retyped", 2 * time.Hour, inStatus("acme-db-1/2", "retyping")},
	{6, "11:13", "tag copied", once, copyTag("globex-db-1/1")},
	{7, "03:47", "cinder-backup restarted", once, restarted()},

	// The second week: a server changes its project, and a password is stolen.
	{8, "10:11", "volume transferred", once, transfer("acme-web-2/1", "globex-web-2")},
	{8, "14:23", "metadata removed", once, noWish("globex-web-1")},
	{9, "01:57", "retention shortened by a thief", 9 * time.Hour, thief("acme", "1h")},
	{9, "16:17", "volume deleted", once, deleteVolume("initech-web-2/1")},
	{10, "02:33", "other installation", once, otherInstallation("initech-db-1", false)},
	{10, "12:29", "metadata set", once, wish("globex-web-1", "true")},
	{10, "22:11", "Cinder away", 11 * time.Hour, away("volume", "Cinder", everything, "the plan is old", "decision not_seen operator")},
	{11, "17:41", "quota exhausted", 3 * day, quota("globex")},
	{12, "09:47", "server deleted", once, deleteServer("hooli-web-2")},
	{12, "15:47", "volume transferred", once, transfer("acme-db-1/2", "globex-db-2")}, // from an owner with a retention of 10 days to one with 36 hours
	{12, "22:37", "Keystone away", 4 * time.Hour, away("identity", "Keystone", everything, "the plan is old", "operator")},
	{13, "10:53", "backup on ours by a tenant", once, buildOn("initech-erp/1")},
	{13, "23:51", "response lost", 26 * time.Hour, lostResponse("acme-mail/1", true, false)},
	{14, "04:21", "other scheduler leads", once, otherLeads()},
	{14, "12:07", "volume extended", once, extend("initech-erp/2", 100)},

	// The third week: our own credentials.
	{15, "08:31", "password rotated", 90 * time.Minute, passwordRotated("another-1")},
	{15, "13:43", "metadata changed", once, retention("acme-db-1", "6d")},
	{16, "21:19", "our role lost", 12 * time.Hour, roleLost()},
	{17, "15:37", "volume created", once, newVolume("globex-files/3", "globex-files", 40)},
	{17, "16:03", "metadata garbled", once, wish("globex-db-2", "yes please")},
	{18, "09:07", "metadata changed", once, wish("globex-db-2", "true")},
	{18, "14:49", "volume in maintenance", 8 * day, inStatus("acme-db-2/1", "maintenance")},
	{18, "14:51", "volume in maintenance", 8 * day, inStatus("globex-db-1/2", "error")},
	{17, "23:49", "response lost", 26 * time.Hour, lostResponse("globex-db-1/1", false, true)},
	{19, "11:23", "backup restored", 4 * time.Hour, restoreBackup("acme-db-1/1")},
	{19, "23:13", "Nova away", 5 * time.Hour, away("compute", "Nova", blind, "decision not_seen operator", "the plan is old")},
	{20, "10:31", "metadata removed", once, noRetention("initech-db-1")},
	{20, "22:47", "Postgres away", 5 * time.Hour, databaseAway()},
	{21, "13:41", "list without servers", 50 * time.Minute, omits("servers")},
	{21, "15:41", "list without volumes", 50 * time.Minute, omits("volumes")},
	{21, "18:09", "backup removed by a tenant", once, removeBackup("hooli-web-1/1")},

	// The fourth week: the backup target is full, and a volume is transferred while its backup waits.
	{22, "09:09", "volume retyped", 3 * time.Hour, inStatus("hooli-web-1/0", "retyping")},
	{22, "22:53", "cinder-backup down", 28*time.Hour + 40*time.Minute, backupDown()},
	{23, "10:39", "tag copied", once, copyTag("initech-web-1/0")},
	{23, "15:27", "tag rewritten", once, rewriteTag("acme-shop/0")},
	{24, "03:17", "volume transferred", once, transfer("initech-erp/1", "acme-shop")}, // its backup is planned, and waits because cinder-backup is down
	{24, "21:39", "backup target full", 13 * time.Hour, targetFull()},
	{25, "12:57", "other installation", once, otherInstallation("hooli-vault-1", false)},
	{25, "16:19", "metadata changed", once, retention("globex-files", "2d")},
	{26, "02:39", "other installation", once, otherInstallation("acme-web-2", true)},
	{26, "13:59", "server created", once, newServer("initech-new", "initech", "true", "2d")},
	{26, "14:01", "volume attached", once, attach("initech-spare", "initech-new")},
	{27, "23:37", "Redis away", 4 * time.Hour, queueAway()},
	{28, "08:43", "project disabled", 40 * time.Hour, disabled("hooli")},

	// The fifth week: a project is given up.
	{29, "11:29", "volume detached", once, detach("acme-mail/1")},
	{30, "09:41", "volume attached", once, attach("acme-mail/1", "acme-web-1")},
	{30, "17:23", "backup renamed", once, renameBackups("globex-files/1")},
	{31, "10:21", "project deleted", once, projectDeleted("umbrella", true)},
	{31, "22:59", "no worker runs", 8 * time.Hour, noWorkers()},
	{32, "14:13", "volume deleted", once, deleteVolume("globex-web-2/1")},
	{32, "16:07", "volume extended", once, extend("acme-shop/1", 20)},
	{33, "08:11", "other scheduler leads", once, otherLeads()},
	{33, "21:31", "no scheduler runs", 10 * time.Hour, noScheduler()},
	{34, "13:37", "Redis lost its data", once, queueLost()},
	{34, "18:53", "backup made by a tenant", once, backUp("initech-db-1/1")},
	{35, "01:13", "backup removed by a tenant", once, removeBackup("initech-db-1/2")},

	// The sixth week.
	{36, "09:51", "metadata set", once, wish("acme-test", "true")},
	{36, "10:03", "metadata set", once, retention("acme-test", "2d")},
	{36, "15:59", "quota exhausted", 6 * day, quota("initech")},
	{37, "02:51", "other installation", once, otherInstallation("initech-db-1", false)},
	{37, "23:41", "backup hangs", 20 * time.Hour, hangs("acme-web-2/0")},
	{38, "16:33", "password rotated", 2 * time.Hour, passwordRotated("another-2")},
	{39, "21:49", "Barbican away", 6 * time.Hour, barbicanDown()},
	{40, "01:43", "retention shortened by a thief", 23 * time.Hour, thief("globex", "2h")},
	{41, "12:19", "metadata garbled", once, retention("acme-db-2", "-3d")},
	{41, "20:03", "backup on ours by a tenant", once, buildOn("hooli-web-1/2")},
	{42, "22:29", "Postgres away", 12 * time.Hour, databaseAway()},

	// The seventh week: the second project is deleted, and leaves everything behind.
	{43, "11:51", "metadata removed", once, noWish("acme-web-1")},
	{44, "10:47", "project deleted", once, projectDeleted("wonka", false)},
	{44, "15:09", "server deleted", once, deleteServer("acme-mail")},
	{45, "09:59", "metadata set", once, wish("acme-web-1", "true")},
	{45, "22:07", "our role lost", 9 * time.Hour, roleLost()},
	{46, "13:21", "volume transferred", once, transfer("globex-files/1", "hooli-web-1")},
	{46, "17:47", "volume extended", once, extend("hooli-web-1/1", 30)},
	{47, "11:09", "backup restored", 4 * time.Hour, restoreBackup("globex-db-2/1")},
	{47, "23:57", "response lost", 26 * time.Hour, lostResponse("hooli-web-1/2", false, true)},
	{48, "05:33", "cinder-backup restarted", once, restarted()},
	{49, "14:27", "tag rewritten", once, rewriteTag("globex-db-2/2")},

	// The eighth week.
	{50, "09:21", "volume retyped", 30 * time.Hour, inStatus("acme-db-1/0", "retyping")},
	{50, "22:23", "Keystone away", 10 * time.Hour, away("identity", "Keystone", everything, "the plan is old", "operator")},
	{51, "16:39", "metadata changed", once, retention("acme-web-1", "8d")},
	{52, "21:57", "Nova away", 10 * time.Hour, away("compute", "Nova", blind, "decision not_seen operator", "the plan is old")},
	{53, "10:17", "metadata changed", once, retention("acme-web-1", "2d")},
	{53, "22:41", "Redis away", 9 * time.Hour, queueAway()},
	{54, "12:53", "project disabled", 30 * time.Hour, disabled("acme")},
	{55, "23:03", "Cinder away", 3 * time.Hour, away("volume", "Cinder", everything, "the plan is old", "decision not_seen operator")},
	{56, "13:07", "backup removed by a tenant", once, removeBackup("globex-db-1/0")},

	// The last days.
	{57, "02:09", "other installation", once, otherInstallation("globex-db-2", false)},
	{57, "10:57", "server deleted", once, deleteServer("acme-shop")},
	{57, "11:53", "volume detached", once, detach("acme-web-2/0")},
	{58, "12:31", "backup target full", 3 * time.Hour, targetFull()},
	{58, "22:17", "Barbican away", 3 * time.Hour, barbicanDown()},
	{59, "09:13", "volume deleted", once, deleteVolume("acme-web-2/0")},
}
