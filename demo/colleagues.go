package demo

import "strings"

// The ids of the teams.
const (
	sales   = "t_sales"
	support = "t_support"
	success = "t_success"
)

const ownDomain = "harbourline.example"

// colleague is one of us.
type colleague struct {
	id, name, title string
	team            string
	// zone is hours ahead of UTC. Summer time is left out: nobody will miss it
	// here, and no zone files are needed.
	zone  int
	admin bool
	// busy is how much they write, 1 being the average.
	busy float64
}

func staff() []colleague {
	return []colleague{
		{id: "u_ana", name: "Ana Moreira", title: "Account Executive", team: sales, zone: 0, admin: true, busy: 1.3},
		{id: "u_ben", name: "Ben Adeyemi", title: "Account Executive", team: sales, zone: 0, busy: 1.2},
		{id: "u_chloe", name: "Chloé Martin", title: "Head of Sales", team: sales, zone: 1, admin: true, busy: 0.8},
		{id: "u_jonas", name: "Jonas Berg", title: "Sales Development", team: sales, zone: 1, busy: 1.6},
		{id: "u_priya", name: "Priya Nair", title: "Solutions Engineer", team: sales, zone: 0, busy: 0.7},
		{id: "u_mateusz", name: "Mateusz Kowalczyk", title: "Support Engineer", team: support, zone: 1, busy: 1.2},
		{id: "u_yuki", name: "Yuki Tanabe", title: "Support Engineer", team: support, zone: 9, busy: 0.9},
		{id: "u_grace", name: "Grace Okafor", title: "Support Lead", team: support, zone: 0, busy: 0.8},
		{id: "u_leo", name: "Leo Fischer", title: "Support Engineer", team: support, zone: 1, busy: 1},
		{id: "u_sofia", name: "Sofia Ricci", title: "Customer Success Manager", team: success, zone: 1, busy: 1.1},
		{id: "u_omar", name: "Omar Haddad", title: "Customer Success Manager", team: success, zone: 0, busy: 1},
		{id: "u_tess", name: "Tess O'Brien", title: "Onboarding Specialist", team: success, zone: -5, busy: 0.8},
	}
}

func (c colleague) email() string { return strings.TrimPrefix(c.id, "u_") + "@" + ownDomain }

func (c colleague) firstName() string { return strings.Fields(c.name)[0] }
