// Package deploy tests the files for deployments: docker-compose.yml, the Helm chart and the manifest made from it, the systemd
// units, the image, .env.example, the alerts and the board. They agree with the program and with the documentation, and a cluster
// would accept what the chart renders. It has no other code.
package deploy
