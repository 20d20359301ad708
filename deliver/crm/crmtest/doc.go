// Package crmtest has CRMs for tests: servers that keep what they are told as HubSpot and
// Salesforce do, with their unique keys, locks, limits and errors, and that fail as they
// are told to. It is used by tests alone.
package crmtest
