package api

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"tidings/account"
	"tidings/feed"
)

type nudgesInput struct {
	Days int      `query:"days" minimum:"1" maximum:"60" default:"3" doc:"how long ago the newest mail was sent, at least"`
	User []string `query:"user,explode" maxItems:"100" doc:"whose mail, or to whom it is assigned; of everybody whom the reader may see when absent"`
	Show string   `query:"show" enum:"open,snoozed,done" default:"open"`
}

type callsInput struct {
	User []string `query:"user,explode" maxItems:"100" doc:"whose mail, or to whom it is assigned; of everybody whom the reader may see when absent"`
	Show string   `query:"show" enum:"open,snoozed,done" default:"open"`
}

// NudgeView is one person to nudge with what the team has noted.
type NudgeView struct {
	feed.Nudge
	FollowUp *account.FollowUp `json:"follow_up,omitempty"`
}

// CallView is one person to call with what the team has noted.
type CallView struct {
	feed.Call
	FollowUp *account.FollowUp `json:"follow_up,omitempty"`
}

// FollowUpCounts say how many of a list there are, by what was noted of them.
type FollowUpCounts struct {
	Open    int `json:"open"`
	Snoozed int `json:"snoozed"`
	Done    int `json:"done"`
}

type nudgesOutput struct {
	Body struct {
		Items      []NudgeView    `json:"items" nullable:"false" doc:"those who came to be due last first"`
		Bounced    []NudgeView    `json:"bounced" nullable:"false" doc:"whom nothing reaches: never nudged"`
		Counts     FollowUpCounts `json:"counts"`
		Colleagues []feed.User    `json:"colleagues" nullable:"false" doc:"whom it may be assigned to"`
		Partial    bool           `json:"partial" doc:"not every send could be read: those since reached were"`
		Reached    time.Time      `json:"reached"`
	} `nameHint:"NudgeList"`
}

type callsOutput struct {
	Body struct {
		Items      []CallView     `json:"items" nullable:"false" doc:"the most urgent first"`
		Counts     FollowUpCounts `json:"counts"`
		Colleagues []feed.User    `json:"colleagues" nullable:"false" doc:"whom it may be assigned to"`
		Partial    bool           `json:"partial" doc:"not every event could be read: those since reached were"`
		Reached    time.Time      `json:"reached"`
	} `nameHint:"CallList"`
}

type followUpInput struct {
	content
	Email pathText `path:"email" doc:"the address, percent-encoded"`
	User  string   `query:"user" maxLength:"200" doc:"whose mail to them it is about; absent for mail of nobody"`
}

type followUpOutput struct{ Body account.FollowUp }

type followUpsOutput struct {
	Body struct {
		Items []account.FollowUp `json:"items" nullable:"false"`
	} `nameHint:"FollowUpList"`
}

func (s *Server) followUpRoutes(docs huma.API) {
	handle(s, docs, route{
		id: "list-nudges", audit: auditReads, inTurn: true, method: http.MethodGet, path: "/v1/nudges", group: "Follow-ups", may: readers(),
		summary: "Who has not opened, or not answered, what was sent to them some days ago",
		description: "Of mail of the last days + 30 days to at most 50 recipients. Who has answered any later, was written to since, " +
			"reported a mail as spam or unsubscribed is not listed, and who bounced is listed apart. What machines open is not opened.",
	}, s.listNudges)
	handle(s, docs, route{
		id: "list-calls", audit: auditReads, inTurn: true, method: http.MethodGet, path: "/v1/calls", group: "Follow-ups", may: readers(),
		summary:     "Who to call now, and why",
		description: "By what people did within the last three days against what they usually do; docs/now.md has the rule. What machines do never counts.",
	}, s.listCalls)
	handle(s, docs, route{
		id: "get-follow-ups", audit: auditReads, method: http.MethodGet, path: "/v1/follow-ups/{email}", group: "Follow-ups", may: readers(),
		summary: "What was noted of a person",
	}, s.getFollowUps)
	handle(s, docs, route{
		id: "put-follow-up", method: http.MethodPut, path: "/v1/follow-ups/{email}", group: "Follow-ups", may: members(),
		request: account.FollowUpRequest{}, failures: []int{http.StatusConflict, http.StatusTooManyRequests},
		summary: "Note that somebody is done, snoozed or assigned, and what to remember",
		description: "It is shared by all who may see that user's mail, and replaces the follow-up of the named revision: " +
			"409 says that somebody has changed it since.",
	}, s.putFollowUp)
}

// followUps finds what was noted of a person for a user's mail.
type followUps map[[2]string]*account.FollowUp

func (s *Server) followUpsOf(ctx context.Context, caller Caller) (followUps, error) {
	all, err := s.followups.List(ctx, caller)
	if err != nil {
		return nil, err
	}
	of := make(followUps, len(all))
	for i := range all {
		of[[2]string{all[i].User, all[i].Email}] = &all[i]
	}
	return of, nil
}

// asked are the users whose mail must be read to list what is theirs or assigned to
// them; nil for everybody.
func (f followUps) asked(users []string) []string {
	if len(users) == 0 {
		return nil
	}
	asked := slices.Clone(users)
	for _, one := range f {
		if slices.Contains(users, one.Assignee) && !slices.Contains(asked, one.User) {
			asked = append(asked, one.User)
		}
	}
	return asked
}

// shown tells which people are to be shown, before a list is cut.
func (f followUps) shown(users []string, show string, now time.Time) feed.Shown {
	return func(user, email string, news time.Time) bool {
		_, shown := f.sort(&feed.User{ID: user}, email, news, users, show, now, new(FollowUpCounts))
		return shown
	}
}

// sort finds the follow-up of a person, and tells whether they are to be shown. It
// counts them, whichever are shown. news is when there was last news of them.
func (f followUps) sort(user *feed.User, email string, news time.Time, users []string, show string, now time.Time, counts *FollowUpCounts) (*account.FollowUp, bool) {
	owner := ""
	if user != nil {
		owner = user.ID
	}
	one := f[[2]string{owner, email}]
	if len(users) > 0 && !slices.Contains(users, owner) && (one == nil || !slices.Contains(users, one.Assignee)) {
		return nil, false
	}
	switch {
	case one != nil && one.Done != nil && !news.After(*one.Done):
		counts.Done++
		return one, show == "done"
	case one != nil && one.Snoozed != nil && one.Snoozed.After(now):
		counts.Snoozed++
		return one, show == "snoozed"
	}
	counts.Open++
	return one, show == "open"
}

func (s *Server) listNudges(ctx context.Context, caller Caller, in *nudgesInput) (*nudgesOutput, error) {
	noted, err := s.followUpsOf(ctx, caller)
	if err != nil {
		return nil, err
	}
	now := s.Clock()
	list, err := s.Contacts.Nudges(ctx, feed.NudgeRequest{
		Scope: caller.Scope(), Only: noted.asked(in.User), Days: in.Days, Shown: noted.shown(in.User, in.Show, now),
	})
	if err != nil {
		return nil, err
	}
	out := new(nudgesOutput)
	b := &out.Body
	b.Items, b.Bounced, b.Partial, b.Reached = []NudgeView{}, []NudgeView{}, list.Partial, list.Reached
	for _, n := range list.People {
		if one, shown := noted.sort(n.User, n.Email, n.Sent, in.User, in.Show, now, &b.Counts); shown {
			b.Items = append(b.Items, NudgeView{n, one})
		}
	}
	var apart FollowUpCounts
	for _, n := range list.Bounced {
		if one, shown := noted.sort(n.User, n.Email, n.Sent, in.User, in.Show, now, &apart); shown {
			b.Bounced = append(b.Bounced, NudgeView{n, one})
		}
	}
	b.Colleagues, err = s.Contacts.Colleagues(ctx, caller.Scope())
	return out, err
}

func (s *Server) listCalls(ctx context.Context, caller Caller, in *callsInput) (*callsOutput, error) {
	noted, err := s.followUpsOf(ctx, caller)
	if err != nil {
		return nil, err
	}
	now := s.Clock()
	list, err := s.Contacts.Calls(ctx, feed.CallRequest{Scope: caller.Scope(), Only: noted.asked(in.User), Shown: noted.shown(in.User, in.Show, now)})
	if err != nil {
		return nil, err
	}
	out := new(callsOutput)
	b := &out.Body
	b.Items, b.Partial, b.Reached = []CallView{}, list.Partial, list.Reached
	for _, call := range list.People {
		if one, shown := noted.sort(call.User, call.Email, call.Last, in.User, in.Show, now, &b.Counts); shown {
			b.Items = append(b.Items, CallView{call, one})
		}
	}
	b.Colleagues, err = s.Contacts.Colleagues(ctx, caller.Scope())
	return out, err
}

func (s *Server) getFollowUps(ctx context.Context, caller Caller, in *personInput) (*followUpsOutput, error) {
	email, err := in.address()
	if err != nil {
		return nil, err
	}
	out := new(followUpsOutput)
	out.Body.Items, err = s.followups.OfPerson(ctx, caller, email)
	return out, err
}

func (s *Server) putFollowUp(ctx context.Context, caller Caller, in *followUpInput) (*followUpOutput, error) {
	email, err := pathAddress(in.Email)
	if err != nil {
		return nil, err
	}
	request, err := decodeDocument[account.FollowUpRequest](&s.bodies, &in.content)
	if err != nil {
		return nil, err
	}
	kept, err := s.followups.Put(ctx, caller, in.User, email, request)
	if err != nil {
		return nil, inBody(err)
	}
	return &followUpOutput{kept}, nil
}
