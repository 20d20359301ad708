package demo

// answers is what people write back, by the pool that a topic names.
func answers() map[string][]string {
	return map[string][]string{
		"pricing": {
			"Thanks, that is clearer than the last version. Can you hold the price until our budget round on the 12th?",
			"I have passed it on to finance. They will ask for the annual total without onboarding, could you send that?",
			"Is the reporting module included or on top? The second table confused us.",
			"Looks good to me. Please send the order form.",
			"That is above what we planned. What would it be for half the seats?",
			"We have a second offer on the table that is 8 % lower. Anything you can do?",
			"Agreed in principle. Legal needs a week.",
			"Not this quarter, I am afraid. Please come back to me in spring.",
			"Can we pay quarterly instead of once a year?",
			"Great, I will get the signature on Thursday when our director is back.",
		},
		"meeting": {
			"That works, please send an invitation. I will bring our payroll lead.",
			"Could we make it the week after? We are closing the month.",
			"Perfect. Please plan fifteen minutes for questions from the night team.",
			"I cannot join but my colleague will take my place.",
			"Sorry for the slow reply. Yes, any time after 2 pm.",
			"Good session, thank you. The rest-time check was what convinced them.",
			"Can you record it? Half the team is on shift.",
			"Let us postpone, our warehouse is moving that week.",
		},
		"cold": {
			"Not interested at the moment, thanks.",
			"Funny timing, we were complaining about this yesterday. Send me a few times.",
			"Please talk to our operations manager, I have put them in copy.",
			"We have something in place until next year. Write again in autumn.",
			"How do you differ from what we have now? We were disappointed once already.",
			"Please take me off your list.",
		},
		"ticket": {
			"That fixed it, thank you for the quick help!",
			"Still the same here after signing out and in. Screenshot attached.",
			"Works for two of the three sites. The third shows an empty page.",
			"Thanks. Can you tell us when the fix is out?",
			"Yes please, go ahead.",
			"It happens to everybody on the late shift, not only to me.",
			"Understood. We will do it month by month until then.",
			"Please recompute the month as well, payroll closes on Friday.",
			"You can close the ticket.",
		},
		"documents": {
			"Received, thank you. I will go through it with our security officer.",
			"The attachment will not open for me. Could you send it as a PDF?",
			"Question 22 is still empty, could you fill that in?",
			"Thank you, exactly what the auditors wanted.",
			"Counsel has one more comment on liability. I will forward it.",
			"Signed and sent back.",
			"Could you share this with our procurement too?",
			"Perfect, that saves me an afternoon.",
		},
		"invoice": {
			"Paid this morning.",
			"Please put the order number 4500-7731 on it and send it again.",
			"The amount does not match the quote, there are three seats too many.",
			"Forwarded to accounts. They pay on the 15th.",
			"Our billing address has changed, details below.",
		},
		"silent": {
			"Thanks for letting us know.",
			"Will there be a recording?",
			"Does this concern the sites in the south as well?",
			"I am out of the office until Monday and will read your mail then.",
		},
	}
}

// ownFollowUps is what we write when an answer came.
func ownFollowUps() []string {
	return []string{
		"thank you for the quick answer.|I have noted it, and you will have the changed version by tomorrow noon.|Shout if it cannot wait.",
		"of course.|I have changed it and it is live as of now; the link shows the new state.|Anything else before the week is over?",
		"good point, I asked the team.|The short answer is yes, the long one is behind the link.|Happy to explain it on the phone.",
		"understood.|I will come back to you at the time you named and leave you in peace until then.|Thank you for being so plain about it.",
		"that is good to hear!|I have passed your thanks on.|The next step is with us.",
		"I am sorry that it did not work at once.|Could you try the link again? I made it anew for you.|If it fails, I will call.",
	}
}

// reminders is what we write when nobody has opened a mail, or not answered.
func reminders() []string {
	return []string{
		"I am putting this on top of your mailbox once more.|If the time is wrong, a word is enough.",
		"did this reach you?|The offer in my last mail stands.",
		"I know it is a busy season.|Is there somebody else whom I should write to?",
	}
}
