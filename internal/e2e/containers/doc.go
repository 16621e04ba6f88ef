// Package containers tests the container files in a real engine: deploy/Dockerfile and docker-compose.yml, unchanged, around a
// simulated cloud. Its tests have the build tag containers and need docker with buildx and Compose 2, and an engine whose
// networks this machine is part of.
package containers
