// Package app puts the parts together: it opens the stores that settings name,
// chooses the adapters (here and in benchmarks only), and joins indexer, feed,
// socket, rollover and API to one App that runs until it is told to stop.
//
// Settings flow in; what a process answers is App.Public for everybody and
// App.Operator for the commands of this machine. Tests start one with Open and
// stop it with Close, as the commands do.
package app
