package migrations

import "fmt"

// Mismatch is a store whose schema is not the one that this program writes.
type Mismatch struct {
	// What is such as "the state store".
	What string
	// Have is the version it has, Want the one that this program writes.
	Have, Want int
}

func (e *Mismatch) Error() string {
	if e.Have > e.Want {
		return fmt.Sprintf("%s has schema version %d and this program knows %d: it was written by a newer version of Tidings; "+
			"run that version, or restore the backup from before the upgrade", e.What, e.Have, e.Want)
	}
	return fmt.Sprintf("%s has schema version %d and this program writes %d: "+
		"make a backup, then run tidings migrate up on it", e.What, e.Have, e.Want)
}
