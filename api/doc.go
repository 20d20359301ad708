// Package api is the HTTP and websocket contract: it checks who is asking,
// injects their workspace, validates what comes in with an error that names the
// field, and hands events to the queue and questions to the feed.
//
// Requests come in as JSON, NDJSON or socket frames; answers, problems and
// announcements go out in the shapes of docs/api.md. It holds no events itself.
package api
