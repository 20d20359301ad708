package demo

func successTopics() []topic {
	t := func(subject, answer string, pull float64, links, files []string, says ...string) topic {
		return topic{team: success, subject: subject, answer: answer, pull: pull, links: links, files: files, says: says, crowd: 0.22}
	}
	meet := func(title string, t topic) topic { t.meeting = title; return t }
	news := func(t topic) topic { t.news = true; return t }
	return []topic{
		meet("Kick-off: Harbourline at {company}", t("Kick-off for {company}", "meeting", 1.35, []string{"/onboarding/{ref}"}, []string{"onboarding-plan-{slug}.pdf"},
			"welcome to Harbourline! I will be with you for the first ninety days.", "The plan is attached: sites in week one, people in week two, first rota in week three.", "Please look at the checklist before our kick-off.")),
		t("Onboarding checklist, week {n}", "documents", 1.15, []string{"/onboarding/{ref}", "/academy"}, nil,
			"you are well on the way: two of the three sites are set up.", "What is left this week is the list of people and their contracts.", "Each step of the checklist links to a video of three minutes at most."),
		meet("Training for planners", t("Training for your planners in {city}", "meeting", 1.15, []string{"/academy/planners", "/academy/register/{ref}"}, []string{"training-agenda.pdf"},
			"here are the dates for the planners' training in {city}.", "It takes two hours, with your own data, and ends with the rota for {nextmonth} done.", "Registration is at the link; twelve seats at most.")),
		meet("Quarterly review {quarter}", t("{quarter} review with {company}", "meeting", 1.15, []string{"/reports/{ref}"}, []string{"review-{quarter}-{slug}.pdf"},
			"it is time to look back on {quarter}.", "Open shifts are down by a third, and the app is used by 86 % of your people.", "The report is linked; I would like to hear what is still hard.")),
		t("Adoption report for {month}", "documents", 0.95, []string{"/reports/{ref}"}, []string{"adoption-{month}-{slug}.pdf"},
			"the adoption report for {month} is ready.", "{city} is ahead of all your sites, and the new warehouse has not begun yet.", "I have marked the two teams that could use a visit."),
		t("Renewal check-in", "pricing", 1.05, []string{"/reports/{ref}"}, nil,
			"your renewal is ninety days away, so this is a good moment to ask: is it worth the money?", "The linked page has what you used and what you did not.", "If the answer is no, I want to know why while there is time."),
		t("New: rest-time rules by country", "silent", 0.85, []string{"/changelog/rest-times", "/help/rules"}, nil,
			"rest times now follow the country of the site, with the exceptions for on-call work.", "You asked for it in March, so you are among the first.", "It is off until a planner turns it on."),
		t("Invoice {invoice}", "invoice", 1.1, []string{"/billing/invoices/{invoice}"}, []string{"{invoice}.pdf"},
			"attached is invoice {invoice} for {month}.", "It is due in 30 days; the bank details have not changed.", "Questions about it reach us by answering this mail."),
		t("Reminder: invoice {invoice} is open", "invoice", 1.05, []string{"/billing/invoices/{invoice}"}, []string{"{invoice}.pdf"},
			"invoice {invoice} seems to have slipped through; it was due last week.", "If it is already on its way, please forget this mail.", "If something on it is wrong, tell me and we put it right."),
		t("Purchase order for {invoice}?", "invoice", 1, []string{"/billing/{ref}"}, nil,
			"your accounts department asks for a purchase order number on invoice {invoice}.", "Could you send it to me? I will have the invoice written anew the same day.", "Thank you."),
		news(t("Harbourline in {month}: what is new", "silent", 0.8, []string{"/changelog", "/changelog/mobile", "/webinars/{ref}"}, nil,
			"this month: swaps on the lock screen, a faster rota, and exports in your own format.", "The webinar shows all of it in twenty minutes.", "Thank you to everybody who tried the early version.")),
		news(t("Webinar: planning around the holidays", "silent", 0.75, []string{"/webinars/{ref}", "/webinars"}, nil,
			"two planners tell how they get through December without overtime.", "It is on {weekday}, it takes 40 minutes, and there is a recording.", "Seats are free but limited.")),
		news(t("Invitation: user day in {city}", "silent", 0.85, []string{"/events/userday-{year}", "/events/userday-{year}/programme"}, []string{"userday-programme.pdf"},
			"our user day is in {city} this year, with forty planners and far too much cake.", "The programme is linked; the morning is yours, the afternoon is ours.", "Please bring the ugliest rota that you have.")),
		t("How was your first rota?", "ticket", 1.1, []string{"/feedback/{ref}"}, nil,
			"your first rota went out on {weekday}, and 92 % of your people have seen it.", "What was harder than it should have been?", "Two lines are enough, I read every answer."),
		t("Changes to your account team", "silent", 1, nil, nil,
			"from {nextmonth} on Omar will look after {company} with me.", "Nothing else changes, and both of us read what you send.", "He will introduce himself this week."),
		t("Template rotas for {city}", "documents", 1.05, []string{"/templates/{ref}"}, []string{"rota-templates-{slug}.xlsx"},
			"I built three templates from what your planners do every other week.", "The one for weekends needs a second pair of eyes.", "They are in your account already, and in the sheet for those who like paper."),
		meet("Check-in", t("Quick check-in?", "meeting", 1, []string{"/calendar/{ref}"}, nil,
			"we have not spoken for six weeks, which is usually good news.", "Would fifteen minutes on {weekday} suit you?", "If there is nothing to talk about, I will gladly give them back.")),
		t("Seats: {seats} used of what you have", "pricing", 1.05, []string{"/billing/{ref}", "/pricing"}, nil,
			"you have {seats} people in the system now, which is a few more than the contract says.", "No hurry and no extra charge this quarter.", "If it stays so, the next tier is cheaper for each seat."),
		t("Certificate of completion", "documents", 0.95, []string{"/academy/certificates/{ref}"}, []string{"certificate-{ref}.pdf"},
			"congratulations, you have finished the planner's course.", "The certificate is attached, and your colleagues can see the badge.", "The course for administrators is next, if you like."),
		t("Your feedback from the user day", "documents", 1, []string{"/roadmap", "/events/userday-{year}/slides"}, []string{"userday-notes.pdf"},
			"here are the notes from the table that you sat at.", "Three of your five wishes are on the roadmap, and two are not; the notes say why.", "The slides of all talks are linked."),
		t("Data clean-up before {nextmonth}", "documents", 1, []string{"/help/people"}, []string{"inactive-people-{slug}.csv"},
			"63 people have not been on a rota since spring.", "Please look through the list and strike out those who come back.", "The rest I can archive on the first of {nextmonth}."),
		t("Executive summary for {company}", "documents", 1.15, []string{"/reports/{ref}"}, []string{"executive-summary-{slug}.pdf"},
			"the one-page summary for your managing director is attached.", "It says what you invested, what came back, and what is next.", "I kept the adjectives out."),
	}
}
