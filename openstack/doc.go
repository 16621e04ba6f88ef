// Package openstack is the client for the cloud. Only this package uses HTTP and gophercloud, and only it knows status
// codes and the texts of Cinder's errors. Other packages get values of package backup and the meaning of an error
// ([backup.CloudError]).
//
// Rules of this package:
//
//   - Lists are read with a token of the admin project. Everything that a project owns is created and deleted with a token
//     of that project, and no function lets the caller choose another one. A deletion with a token of another project
//     destroys the chain, because Cinder then does not see the dependents.
//   - Reads and deletions are retried, within limits. A creation is retried only if it certainly was not executed. The error
//     of a call that may have been executed has Unknown set.
//   - A 404 means "not found" only if the service's message names the object.
//
// The package does not know records, policies, queues or schedules.
package openstack
