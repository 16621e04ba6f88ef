// Package openstack is the cloud's door: HTTP and gophercloud on one side,
// values of package backup on the other. It is the only room that knows status
// codes and Cinder's prose; everybody else sees meanings ([backup.CloudError]).
//
// What holds here:
//
//   - Lists are read with a token of the admin project. Everything that a
//     project owns is created and removed with a token of that project, and no
//     function lets the caller choose another one: a deletion from outside
//     destroys the chain (Cinder then does not see the dependents).
//   - Reads and deletions are repeated, within limits; a creation only where it
//     certainly was not executed. What may have been is said to be Unknown.
//   - A 404 means "not found" only where the cloud's words name the object.
//
// It must not know records, policies, queues or when something is due.
package openstack
