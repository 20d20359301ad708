package query

// Directory knows the people of a workspace. A name that several have belongs
// to none of them.
type Directory interface {
	// User is the id of the user whose id or name is text. The id of a user is
	// its own.
	User(text string) (id string, ok bool)
	// Team is the team whose id or name is text, with the ids of its users.
	Team(text string) (id string, members []string, ok bool)
	// TeamsOf are the ids of the teams that a user is in.
	TeamsOf(user string) []string
}

// Named is a Directory that can list its names, to offer those near to one that
// it does not know.
type Named interface {
	// Names are what users and teams are called.
	Names() []string
}
