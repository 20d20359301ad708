// Package elastictest gives tests a real Elasticsearch, without a container: it is
// assembled once, in the user's cache directory, from the jars that Elastic
// publishes on Maven Central, which takes a JDK of 17 or newer and Maven. Each
// test binary that asks starts a node of its own on a free port of this machine
// and stops it at the end, and .ci/unit starts one for all of them. Where there
// can be none, tests are skipped and say what is missing.
//
// TIDINGS_TEST_ELASTIC names a server of one's own to use instead, written as for
// --index. Tests write there below prefixes of their own alone.
package elastictest
