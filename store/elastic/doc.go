// Package elastic keeps events in Elasticsearch 8, one index an ISO week behind an
// alias of the week (Index). Events go in by bulk create, each with an outcome of
// its own; searches come out newest first, in the order of the index on disk.
// Text arrives as ready words of package query; Elasticsearch only splits them at
// the spaces between. What is stored of an event is its JSON alone.
//
// Vendor errors leave as the kinds of package event, without what Elasticsearch
// says of the document. What a later try may cure is event.ErrUnavailable, a
// write to a sealed week event.WeekBlocked.
package elastic
