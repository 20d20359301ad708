package query

import "strings"

// rule is a rule of the grammar that reads one condition, by its place in the order in
// which they are tried.
type rule uint8

const (
	ruleCounting rule = iota
	ruleSorted
	ruleNewest
	ruleEveryPeriod
	ruleTabled
	ruleState
	ruleTraffic
	ruleException
	// Those that read what is plainly asserted.
	ruleDevice
	rulePerson
	ruleLastingTime
	ruleTimed
	ruleAnswer
	ruleBounce
	ruleEventType
	ruleNamed
	rules
)

// ruleSet is a bit for each rule.
type ruleSet uint32

func (s ruleSet) has(r rule) bool { return s&(1<<r) != 0 }

const (
	allRules = ruleSet(1)<<rules - 1
	// anyWordRules may begin with any word.
	anyWordRules = ruleSet(1)<<rulePerson | 1<<ruleLastingTime | 1<<ruleTimed | 1<<ruleNamed
	// numberRules may begin with a number.
	numberRules = ruleSet(1)<<ruleCounting | 1<<ruleNewest | 1<<ruleTabled
)

const (
	numberWords = `zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
		eighteen nineteen twenty thirty `
	ordinalWords = `first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth
		sixteenth seventeenth eighteenth nineteenth twentieth `
	contractions = `hasn't haven't hasnt havent didn't didnt don't dont doesn't isn't wasn't weren't aren't hadn't `
)

// rulesOf are the rules that may begin with a word, anyWordRules left out. Most rules
// begin with few words, so that they need not be tried at each.
var rulesOf = func() map[string]ruleSet {
	all := map[string]ruleSet{}
	for r, words := range map[rule]string{
		ruleCounting: numberWords + ordinalWords + contractions + `quiet inactive silent dormant no not never more over above at up less fewer
			under exactly only just = > >= ≥ < <= ≤ between once twice thrice a couple for again multiple repeatedly within in after took
			slower faster quicker several many lots never`,
		ruleSorted: `sort sorted order ordered starting beginning in the newest latest oldest earliest reverse reversed ascending
			chronological chronologically descending`,
		ruleNewest:      numberWords + `last latest newest previous recent most what what's whats any anything something`,
		ruleEveryPeriod: `hourly daily weekly monthly`,
		ruleTabled: numberWords + `by per group grouped split broken rank ranked sort sorted order ordered top bottom most least the with got gets get has have had received
			person people persons contact contacts recipient recipients customer customers prospect prospects lead leads reader readers
			viewers openers clickers repliers responders downloaders company companies domain domains account accounts organization
			organizations email emails mail mails message messages e-mail e-mails subject subjects user users sender senders colleague
			colleagues rep reps type types link links file files attachment attachments device devices client clients hour hours weekday
			weekdays day days week weeks month months`,
		ruleState: contractions + `everyone everybody all 0 unopened unread unreplied unanswered unclicked nobody noone no-one or none non-openers nonopeners
			non-responders non-repliers nonresponders non-clickers nonclickers except excluding minus neither nor nothing said awaiting waiting no
			without zero never not has have did was were is are does do yet failed forgot neglected couldn't couldnt could can't cannot`,
		ruleTraffic: `don't dont not never real human genuine by from only no without excluding exclude hide ignore include including with
			show bot robot machine scanner automated automatic prefetched preloaded apple apple's mpp privacy humans people persons bots robots machines scanners`,
		ruleException: `nobody noone no-one none no only just solely exclusively alone anything everything all anyone everyone anybody
			everybody any people bar minus except excluding besides apart aside but other not never without or and nor ` + contractions + notOperator,
		ruleDevice: `on via using with from in through phone phones cellphone smartphone smartphones iphone iphones android mobile tablet
			tablets ipad ipads desktop computer computers laptop laptops pc mac macbook outlook gmail thunderbird firefox chrome safari
			yahoo apple`,
		ruleAnswer: `accept confirm decline accepted confirmed declined rejected refused tentative maybe`,
		ruleBounce: `hard soft softly bounced rejected suppressed bounces`,
		ruleEventType: `spam abuse reported flagged marked opted emails e-mails mails messages email e-mail mail message got gotten received has have had look looked looking answer answers book schedule scheduled arrange arranged set reads read see seen saw reading viewing opening clicking
			replying downloading failed undelivered undeliverable`,
	} {
		for word := range strings.FieldsSeq(words) {
			all[word] |= 1 << r
		}
	}
	for word := range eventWords {
		all[word] |= 1 << ruleEventType
	}
	return all
}()

// findRules notes of each lexeme which rules may begin with its word.
func (p *parser) findRules() {
	for i := range p.lexemes {
		l := &p.lexemes[i]
		l.rules = rulesOf[l.word] | anyWordRules
		if l.word != "" && ('0' <= l.word[0] && l.word[0] <= '9' || strings.ContainsAny(l.word, "-+x") || strings.IndexAny(l.word, "<>=≤≥") == 0) {
			l.rules |= numberRules // 9th, 2-3, three+, 5x, >3
		}
		if p.opts.everyRule {
			l.rules = allRules
		}
	}
}

// rulesAt are the rules that may begin at a lexeme. Where something that was read before
// expects more of it, any may.
func (p *parser) rulesAt(i int) ruleSet {
	e := &p.english
	switch i {
	case e.understood, e.newestEnd, e.noun, e.deniedAct, e.negated, e.deviceAt:
		return allRules
	}
	return p.lexemes[i].rules
}
