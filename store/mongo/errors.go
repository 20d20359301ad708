package mongo

import (
	"context"
	"errors"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/mongo"

	"tidings/event"
)

// errBusy is a document that others kept changing.
var errBusy = errors.New("others keep writing the same document")

// passing are the codes of refused writes that are no fault of the document:
// another node became primary, the disk is full, we may not.
var passing = []int{
	6,     // HostUnreachable
	7,     // HostNotFound
	13,    // Unauthorized
	18,    // AuthenticationFailed
	24,    // LockTimeout
	50,    // MaxTimeMSExpired
	64,    // WriteConcernFailed
	89,    // NetworkTimeout
	91,    // ShutdownInProgress
	112,   // WriteConflict
	133,   // FailedToSatisfyReadPreference
	189,   // PrimarySteppedDown
	262,   // ExceededTimeLimit
	391,   // ReauthenticationRequired
	9001,  // SocketException
	10107, // NotWritablePrimary
	11600, // InterruptedAtShutdown
	11602, // InterruptedDueToReplStateChange
	13435, // NotPrimaryNoSecondaryOk
	13436, // NotPrimaryOrSecondary
	14031, // OutOfDiskSpace
}

// failed wraps an error with its operation and translates it. All is
// ErrUnavailable but a document that the server refuses for what is in it, which
// is too large, most likely: an outage must count against no event, and such a
// document must not hold up the others. The server quotes documents in what it
// says, so only its codes are kept.
func failed(op string, err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("%s: %w", op, context.Canceled)
	}
	var server mongo.ServerError
	if !errors.As(err, &server) || mongo.IsNetworkError(err) || mongo.IsTimeout(err) {
		return fmt.Errorf("%s: %w: %w", op, event.ErrUnavailable, err)
	}
	if refused(server) {
		return fmt.Errorf("%s: MongoDB refuses the document (codes %v)", op, server.ErrorCodes())
	}
	return fmt.Errorf("%s: %w: MongoDB answers codes %v", op, event.ErrUnavailable, server.ErrorCodes())
}

// refused reports whether a server error is about what was written.
func refused(server mongo.ServerError) bool {
	var writes int
	switch failure := server.(type) {
	case mongo.BulkWriteException:
		writes = len(failure.WriteErrors)
	case mongo.WriteException:
		writes = len(failure.WriteErrors)
	}
	for _, code := range passing {
		if server.HasErrorCode(code) {
			return false
		}
	}
	return writes > 0
}
