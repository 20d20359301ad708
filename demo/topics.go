package demo

// topic is something that we write to customers about. In its texts, words in
// braces are filled in for each message: see fill.
type topic struct {
	team    string
	subject string
	// says are the sentences of the body, all of them in this order.
	says []string
	// links are paths on our own site or full addresses.
	links []string
	files []string
	// answer names the pool of what people write back.
	answer string
	// meeting is the title of what is proposed, empty when nothing is.
	meeting string
	// crowd is the chance that it goes to several people of a company.
	crowd float64
	// news goes to many people of many companies, who may unsubscribe.
	news bool
	// pull is how much more than others it is opened, 1 being the average.
	pull float64
}

func allTopics() []topic {
	var all []topic
	all = append(all, salesTopics()...)
	all = append(all, supportTopics()...)
	return append(all, successTopics()...)
}

func salesTopics() []topic {
	t := func(subject, answer string, pull float64, links, files []string, says ...string) topic {
		return topic{team: sales, subject: subject, answer: answer, pull: pull, links: links, files: files, says: says, crowd: 0.14}
	}
	meet := func(title string, t topic) topic { t.meeting = title; return t }
	return []topic{
		t("Pricing proposal for {company}", "pricing", 1.3, []string{"/pricing", "/proposals/{ref}"}, []string{"pricing-proposal-{slug}.pdf"},
			"as promised, here is our pricing proposal for {seats} seats on the {plan} plan.", "The rate is fixed for 24 months, and onboarding is included for the first two sites.", "The link opens the proposal with the options side by side; the PDF says the same for your finance team."),
		t("Revised pricing for {seats} seats", "pricing", 1.25, []string{"/proposals/{ref}"}, []string{"pricing-{slug}-v2.pdf"},
			"I went back to Chloé and we can meet you on the volume tier.", "The revised pricing is in the link: {plan}, {seats} seats, billed once a year.", "It is good until the end of {month}."),
		t("{company} renewal: your {year} terms", "pricing", 1.15, []string{"/proposals/{ref}"}, []string{"renewal-{slug}-{year}.pdf"},
			"your agreement comes up for renewal in {nextmonth}.", "We have kept the rate where it was and added the reporting module.", "If nothing needs to change, a short yes from you is all I need to send the order form."),
		meet("Harbourline demo for {company}", t("Demo on {weekday}?", "meeting", 1.1, []string{"/demo/{ref}"}, nil,
			"would {weekday} suit you for a 30 minute demo of shift planning?", "I would show how a planner covers a sick call in under a minute, on data that looks like yours.", "The link has my calendar, if another day is better.")),
		meet("Follow-up on yesterday's demo", t("Notes from our demo", "meeting", 1.2, []string{"/demo/{ref}/recording", "/integrations"}, []string{"demo-slides-{slug}.pdf"},
			"thank you for your time, and for the good questions about the night shifts.", "The recording is behind the link and the slides are attached.", "Priya will answer the two open questions about your payroll export by {weekday}.")),
		t("Introduction: Harbourline and {company}", "cold", 0.7, []string{"/customers", "/tour"}, nil,
			"I look after operations teams in {city} that plan more than fifty people a week.", "Most of them come to us with a spreadsheet that only one person understands.", "If that sounds familiar, I would like to show you what changed for a team of your size."),
		t("A question about your rota at {company}", "cold", 0.75, []string{"/tour"}, nil,
			"a short question: who keeps the rota at {company}, and how long does it take them each week?", "Teams of your size tell us a day and a half.", "If it is less, I would honestly like to know how."),
		t("Following up on my note", "cold", 0.75, []string{"/customers"}, nil,
			"I know that weeks in operations are short, so only this:", "the linked page has three companies of your size and what they saved.", "If it is not for you, a line is enough and I will not write again."),
		t("Security questionnaire for {company}", "documents", 1.1, []string{"/trust", "/trust/subprocessors"}, []string{"security-questionnaire-{slug}.xlsx", "penetration-test-summary.pdf"},
			"attached is your security questionnaire, answered by our engineers.", "Questions 14 and 31 refer to the summary of this year's penetration test, which I have added.", "Our list of subprocessors is kept at the link."),
		t("Data processing agreement", "documents", 1.05, []string{"/legal/dpa"}, []string{"dpa-{slug}.pdf"},
			"here is the data processing agreement with the change that your counsel asked for in section 7.", "The data stays in Frankfurt, and deletion is within 30 days of the end of the contract.", "Please let me know whom to send the signing link to."),
		t("Contract for signature: {company}", "documents", 1.35, []string{"/sign/{ref}"}, []string{"contract-{slug}.pdf"},
			"the contract is ready for signature; the link is valid for 14 days.", "The start date is the first of {nextmonth}, as we agreed.", "Welcome aboard, a little early."),
		t("Order form {invoice}", "documents", 1.2, []string{"/sign/{ref}"}, []string{"order-form-{invoice}.pdf"},
			"attached is the order form for {seats} seats of {plan}.", "Purchase order numbers go in the box on page 2.", "Once it is back we switch the trial over, and nothing is lost."),
		t("Your trial ends on {weekday}", "pricing", 1.1, []string{"/billing/{ref}", "/pricing"}, nil,
			"your trial has four days left and your planners have published nine rotas with it.", "If you would like to go on, the plan can be chosen at the link.", "If you need more time for the night team, tell me and I will extend it."),
		t("References you asked for", "pricing", 1.1, []string{"/customers/fjordline", "/customers/lakeshore"}, nil,
			"two customers of your size are happy to talk: one runs three sites, the other seven.", "Their stories are linked; I can introduce you to either.", "Both moved from the same system that you have now."),
		t("Case study: {seats} people, one rota", "pricing", 0.9, []string{"/customers/skogstad"}, []string{"case-study-skogstad.pdf"},
			"this case study is the closest to what you described last week.", "The part about agency staff is on the second page.", "They measured 11 hours a week saved in the first quarter."),
		t("Discount for multi-year", "pricing", 1.2, []string{"/proposals/{ref}"}, nil,
			"if you can commit to three years I can offer 12 % on the {plan} plan.", "The break clause after 18 months stays.", "I can hold this until the end of the quarter."),
		meet("Technical questions with {company}", t("Integration with your payroll", "meeting", 1.1, []string{"/integrations/payroll", "/developers"}, []string{"payroll-mapping.xlsx"},
			"yes, we export to your payroll system; the mapping of pay codes is attached.", "Premiums for nights and Sundays are computed before the export, so the file is final.", "Shall we go through it with your payroll lead?")),
		t("Single sign-on and SCIM", "documents", 1, []string{"/developers/sso", "/developers/scim"}, nil,
			"single sign-on is part of {plan}; SCIM provisioning is too.", "Setting it up takes about an hour with somebody who may change your identity provider.", "The two guides are linked."),
		t("Quote {invoice}", "pricing", 1.15, []string{"/proposals/{ref}"}, []string{"quote-{invoice}.pdf"},
			"here is the quote for the extra {seats} seats from {nextmonth}.", "It runs with your present contract, so there is nothing new to sign but the order form.", "Tell me if procurement needs it in another currency."),
		meet("Board preparation", t("Numbers for your board meeting", "meeting", 1.2, []string{"/roi/{ref}"}, []string{"business-case-{slug}.pptx"},
			"I have put your figures into the business case: break-even is in month five.", "The slide with the three scenarios is the one that boards ask about.", "Shall we rehearse it together?")),
		t("Who else should see this?", "cold", 0.9, []string{"/tour"}, nil,
			"before {weekday}: is there anybody in finance or in the works council who should be there?", "They usually have two or three questions of their own, and it is better to answer them once.", "The short tour is linked for those who cannot come."),
		t("Works council: what to tell them", "documents", 1.05, []string{"/trust/employees"}, []string{"works-council-briefing.pdf"},
			"works councils ask the same four questions, so we wrote the answers down.", "Location is never tracked, and planners see availability but not the reason.", "The briefing is attached; your HR may use it as it is."),
		t("Pilot plan for {city}", "meeting", 1.15, []string{"/pilots/{ref}"}, []string{"pilot-plan-{slug}.pdf"},
			"here is the plan for the pilot in {city}: four weeks, two teams, one planner each.", "Success is measured by the three numbers that you chose.", "After week two we look at them together."),
		t("Procurement portal registration", "documents", 0.95, []string{"https://suppliers.example/register?ref={ref}"}, []string{"supplier-form-{slug}.pdf"},
			"we are registered in your supplier portal now; the confirmation is linked.", "Our bank details and the certificate of insurance are in the form.", "Do you need anything else before the order?"),
		t("Happy to wait until {nextmonth}", "cold", 0.85, nil, nil,
			"understood, {nextmonth} it is.", "I will write in the first week and not before.", "Good luck with the season."),
		t("Competitor comparison, as promised", "pricing", 1.2, []string{"/compare"}, []string{"comparison.pdf"},
			"the comparison that I promised: where we are better, and two places where we are not.", "The table on page 3 is about rules for rest times, which you asked for.", "I would rather that you hear it from me."),
	}
}
