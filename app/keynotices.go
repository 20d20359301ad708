package app

import (
	"context"
	"fmt"
	"slices"
	"time"

	"tidings/account"
	"tidings/notify"
)

// keysLookedAt is how often it is looked whether a key ends soon.
const keysLookedAt = time.Hour

// tellOfKeys tells admins, and whose key it is, of keys that end soon or are not used.
func tellOfKeys(ctx context.Context, keys *account.Keys, directory *account.Directory, notifier *notify.Engine) error {
	found, err := keys.Notices(ctx)
	if err != nil {
		return err
	}
	var notices []notify.Notice
	for _, one := range found {
		users, err := directory.Admins(ctx, one.Workspace)
		if err != nil {
			return fmt.Errorf("find admins: %w", err)
		}
		if one.User != "" && !slices.Contains(users, one.User) {
			users = append(users, one.User)
		}
		for _, user := range users {
			notices = append(notices, notify.Notice{Workspace: one.Workspace, User: user, Kind: notify.KindKey, Cause: one.Cause, Found: one.Text})
		}
	}
	return notifier.Tell(ctx, notices)
}
