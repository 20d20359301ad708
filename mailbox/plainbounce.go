package mailbox

import (
	"regexp"
	"strings"
)

// maxFailed bounds the recipients that are read from a report in words.
const maxFailed = 100

// plainReport reads delivery reports that are for people alone: those of Exim,
// qmail, Yahoo, sendmail, Postfix, Exchange, Gmail and others that have no part
// for programs. Such a mail comes from a mail system and says in the words of one
// that it could not deliver, or not yet, to whom.
func (r interpreter) plainReport() (Reading, bool) {
	if !r.mail.fromMailSystem() {
		return Reading{}, false
	}
	whole := r.mail.parts.text()
	if whole == "" {
		whole = r.mail.Body
	}
	report, copied := cutCopy(withoutNotice(whole))
	if !copiedID.MatchString(copied) {
		if said, header := cutHeader(report); header != "" {
			report, copied = said, header
		}
	}
	if r.speaksOfOthers(report) {
		return Reading{}, false
	}
	delayed := delayPhrase.MatchString(report) || delaySubject.MatchString(r.mail.Subject)
	delivered := deliveredSubject.MatchString(r.mail.Subject)
	failed := failurePhrase.MatchString(report) || reportSubject.MatchString(r.mail.Subject) && !passedOn.MatchString(r.mail.Subject)
	if !failed && !delayed && !delivered && !refusalCode.MatchString(report) {
		return Reading{}, false
	}
	if len(r.mail.parts.inner) == 0 {
		if h := headerOf([]byte(strings.TrimSpace(copied))); h.has("from") || h.has("message-id") || h.has("to") {
			r.mail.parts.inner = []innerMail{{header: h}}
		}
	}
	deliveries := r.failures(report)
	if len(deliveries) == 0 {
		return Reading{Kind: Report, Why: "it names no recipient"}, true
	}
	for i := range deliveries {
		d := &deliveries[i]
		d.status = statusCode(d.diagnostic)
		d.action = "failed"
		switch {
		case delivered && !failurePhrase.MatchString(report) && !refusalCode.MatchString(report):
			d.action = "delivered"
		case delayed && !permanentPhrase.MatchString(report):
			d.action = "delayed"
		}
	}
	return r.reported(deliveries), true
}

// deliveredSubject are the subjects of reports about what was delivered, or passed on
// to a server that does not say.
var deliveredSubject = regexp.MustCompile(`(?i)^\s*(?:delivered|relayed|expanded|zugestellt|übermittelt|weitergeleitet an einen server|remis|relayé|entregado|retransmitido|consegnato|inoltrato|entregue|bezorgd|afgeleverd|levererat|leveret|dostarczono|доставлено|delivery status notification \((?:success|relay|delivered)\)|successful mail delivery report)\s*(?:[:：]|$)`)

// refusalCode is what a server said, in a report in whatever language.
var refusalCode = regexp.MustCompile(`(?m)\b5\d\d[ -]#?5\.\d{1,3}\.\d{1,3}\b|#5\.\d{1,3}\.\d{1,3}\b|(?:^|said: |: )55[0-4][ -]\S`)

// speaksOfOthers reports whether a mail system writes of something else than a mail
// of its reader that failed: of mail to the reader, or as a person who is away.
func (r interpreter) speaksOfOthers(report string) bool {
	if automaticSubject.MatchString(r.mail.Subject) && !refusalCode.MatchString(report) {
		return true
	}
	about := r.mail.Subject
	for part := range strings.SplitSeq(about, ":") {
		if reportSubject.MatchString(part) && !otherSubject.MatchString(part) {
			about = "" // "Undeliverable: Monthly digest"
		}
	}
	report = returnedToYou.ReplaceAllString(report, "")
	toYou, failed := toYouPhrase.FindStringIndex(report), failurePhrase.FindStringIndex(report)
	return otherSubject.MatchString(about) || !refusalCode.MatchString(report) &&
		(otherPhrase.MatchString(report) || toYou != nil && (failed == nil || toYou[0] < failed[0]))
}

// otherSubject, otherPhrase and toYouPhrase are what filters, lists and reports of policies write.
var (
	otherSubject = regexp.MustCompile(`(?i)quarant[aä]n|\bdigest\b|report domain:|awaits? (?:moderator )?approval|moderator|unsubscri`)
	otherPhrase  = regexp.MustCompile(`(?is)release\s+(?:them|it|the\s+message)|quarantin|requires?\s+verification|verify\s+that\s+you|aggregate\s+report`)
	// toYouPhrase may also be of the mail that failed, where it stands behind that.
	toYouPhrase = regexp.MustCompile(`(?is)\b(?:messages?|mails?|e-mails?)\s+(?:(?:sent|addressed)\s+)?to\s+you\b|being\s+held\s+until`)
)

// returnedToYou is no mail to the reader: "so we are returning your message to you".
var returnedToYou = regexp.MustCompile(`(?i)return\w*\s+(?:(?:the|this|your)\s+)?(?:original\s+)?(?:message|mail|e-mail)\s+to\s+you\b`)

// fromMailSystem reports whether a mail system, and no person, wrote the mail.
func (m Mail) fromMailSystem() bool {
	if m.header.has("x-failed-recipients") {
		return true
	}
	from := strings.ToLower(m.From.Email)
	if from == "" {
		from = strings.Trim(strings.ToLower(strings.TrimSpace(m.header.first("from"))), "<>")
	}
	if from == "" && m.header.has("from") {
		return true // "From: <>"
	}
	if m.saysFailureAlone() {
		return true
	}
	if passedOn.MatchString(m.Subject) && !m.byProgram() && !m.header.has("auto-submitted") {
		return false // A postmaster is a person too.
	}
	local, _, _ := strings.Cut(from, "@")
	if systemSender.MatchString(local) || systemSender.MatchString(strings.ToLower(m.From.Name)) {
		return true
	}
	if !reportSubject.MatchString(m.Subject) || passedOn.MatchString(m.Subject) {
		return false
	}
	for _, field := range []string{"return-path", "x-mailfrom", "x-mimecast-originator"} {
		if from := strings.ToLower(strings.TrimSpace(m.header.first(field))); from == "<>" || strings.HasPrefix(from, "<mailer-daemon") {
			return true
		}
	}
	return robotSender.MatchString(local)
}

// leastWords is how many letters the first line of a report's words has.
const leastWords = 10

// saysFailureAlone reports whether a mail under an ordinary name is a report: by its
// subject, and since its first words are that something was not delivered. A program
// wrote it that says so, or that names no mail it answers.
func (m Mail) saysFailureAlone() bool {
	if !reportSubject.MatchString(m.Subject) || m.answers() && !m.isAutomatic() {
		return false
	}
	if at := passedOn.FindStringIndex(m.Subject); at != nil {
		if first, _, _ := strings.Cut(m.Subject[at[1]:], ":"); reportSubject.MatchString(first) {
			return false // A person passes a report on.
		}
	}
	text := m.parts.text()
	if !m.namesSomebodyElse(text) {
		return false // A parcel was not delivered.
	}
	lines := 0
	for line := range strings.Lines(text) {
		switch {
		case strings.Count(line, " ") == 0 && !strings.Contains(line, "@"), len(strings.TrimSpace(line)) < leastWords:
			continue // a ruler, a greeting
		case failurePhrase.MatchString(line):
			return true
		}
		if lines++; lines == 2 {
			break
		}
	}
	return false
}

// namesSomebodyElse reports whether a text has an address that is neither the mail's
// sender nor its reader, nor one to ask.
func (m Mail) namesSomebodyElse(text string) bool {
	return len(interpreter{mail: m}.mentioned(text)) > 0
}

// byProgram reports whether the sender is a name that no person writes under.
func (m Mail) byProgram() bool {
	local, _, _ := strings.Cut(strings.ToLower(m.From.Email), "@")
	return programSender.MatchString(local) || strings.TrimSpace(m.header.first("return-path")) == "<>" && systemSender.MatchString(local)
}

// programSender are the names of mail systems that are no role of a person.
var programSender = regexp.MustCompile(`^(?:mailer[-_. ]?daemon\d*|mail[-_.]daemon|microsoftexchange[0-9a-f]+|mdaemon|double-?bounce)$`)

// passedOn are the subjects of what people answer or pass on.
var passedOn = regexp.MustCompile(`(?i)^\s*(?:re|fwd?|aw|wg|tr|rv|antw|sv|vs|vb|vl|r|i|rif|res|enc|odp|pd|ref|ynt|ilt|vá|továbbítás|hä|отв|ответ|пересл|на|απ|σχετ|回复|回覆|答复|转发|轉寄|返信|転送|회신|전달|תגובה|הועבר|رد|إعادة توجيه|doorst|bls|trs|atb|per|fs|reply|forward(?:ed)?|antwort|weiterleitung|weitergeleitet|antwoord|doorgestuurd|svar|vidarebefordrat|videresendt|vastaus|rép(?:onse)?|transfert|respuesta|reenviado|resposta|encaminhado|risposta|inoltro|inoltrato|odpowiedź|odpověď|odpoveď|odgovor|válasz|yanıt|răspuns)\s*(?:\[\d+\])?[:：]`)

// robotSender are parts of the names under which gateways and filters write.
var robotSender = regexp.MustCompile(`(?:mail|smtp|delivery|virus)[-_.]?(?:service|gateways?|gate|system|admin|filter|sweeper|marshal|scan)|service|gateway|daemon|administrator|^(?:no-?reply|admin|imss|system|root|nobody|bounces?|mail)$`)

// systemSender are the names under which mail systems write.
var systemSender = regexp.MustCompile(`^"?(?:mailer[-_. ]?daemon\d*|mail[-_. ]?daemon|postmaster\\?|mailadmin|mail[-_. ]delivery[-_. ](?:sub)?system|delivery subsystem|system administrator|microsoftexchange[0-9a-f]*|mdaemon|bounces?|mail-?(?:er)?-?notifications?|mta|nobody)(?:[-+ ].*)?"?$`)

// reportSubject are the subjects of delivery reports.
var reportSubject = regexp.MustCompile(`(?i)\b(?:` + strings.Join([]string{
	`undeliver(?:able|ed)`, `non-?deliver(?:y|able)`, `deliver(?:y|ing)? (?:has )?(?:status|fail(?:ed|ure)|problem|error|report|notification)`,
	`mail (?:delivery )?(?:failed|failure|error|system error)`, `failure (?:notice|delivery)`, `returned (?:mail|to sender|message)`,
	`could not (?:be delivered|send message)`, `not delivered`, `mail could not`, `message (?:you sent )?blocked`, `returning message`,
	`delivery .*fail`, `undelivered|non-?remis`, `error during delivery`, `nicht zustellbar`, `unzustellbar`, `zustellung`, `nicht zugestellt`, `non remis`, `échec de (?:la )?remise`, `no se (?:ha podido|puede) entregar`, `mancato recapito`, `onbestelbaar`,
	`não é possível entregar`, `não entregue`, `non recapitabile`, `niedostarczaln`, `未送达`, `无法送达`, `未送達`, `無法傳遞`, `kan (?:inte|ikke) leveres?(?:as)?`, `не удается доставить`, `недоставлен`, `배달되지 않음`, `배달할 수 없음`, `teslim edilemedi`, `nedoručiteln`, `nedoručiteľn`, `kézbesíthetetlen`, `toimittamaton`, `配信不能`,
}, "|") + `)`)

// delaySubject are the subjects of reports about what is still tried.
var delaySubject = regexp.MustCompile(`(?i)\bdeliver\w* .*\(delay(?:ed)?\)|\bdelivery (?:delayed|delay)\b|\bdelayed (?:mail|delivery)|^warning: (?:message|could not send)|\bmail delivery delayed|zustellung verzögert`)

// failurePhrase is how mail systems say that they could not deliver.
var failurePhrase = regexp.MustCompile(`(?is)` + strings.Join([]string{
	`could\s?(?:n['’]t|\s*not|\s+also\s+not)\s+be\s+(?:delivered|sent|reached)`, `(?:was|were|is|has|have)(?:n['’]t|\s+not)\s+(?:been\s+|able\s+to\s+be\s+)?deliver(?:ed|able)`,
	`(?:unable|not\s+able|wasn['’]t\s+able|failed)\s+to\s+(?:deliver|send)`, `(?:could|can)(?:n['’]t|\s?not)\s+deliver`,
	`delivery\s+(?:of\s+(?:this|your|the)\s+\w+\s+)?(?:to\s+(?:the|these)\s+[\w\s()]{0,40})?(?:has\s+|have\s+)?failed`,
	`did\s?(?:n['’]t|\s*not)\s+reach\s+the\s+following`, `following\s+(?:address|recipient)(?:es|\(es\)|s|\(s\))?\s+(?:had|have|has)?\s*(?:permanent\s+fatal\s+errors?|failed)`,
	`permanent\s+fatal\s+errors`, `undeliverable`, `returned\s+to\s+(?:you|the\s+sender|sender)`, `(?:delivery|message)\s+(?:rejected|refused|blocked|bounced)`,
	`message\s+(?:has\s+been\s+|was\s+)?(?:rejected|blocked|refused|bounced)`, `failed\s+recipients?`, `address\s+not\s+found`, `user\s+unknown`, `no\s+such\s+user`, `mailbox\s+(?:unavailable|is\s+full|full|not\s+found)`,
	`(?:has|have)\s+been\s+returned\s+because`, `failed\s+(?:address|mail)`, `invalid\s+final\s+delivery`, `unknown\s+(?:user|recipient|host|address)`, `(?:user|recipient|host|address)\s+(?:is\s+)?(?:not\s+known|unknown)`,
	`encountered\s+delivery\s+problems`, `no\s+mailbox\s+here`, `not\s+delivered\s+to`, `delivery\s+failed\s+\d+\s+attempts`, `del[ie]very\s+to\s+the\s+following\s+recipients?\s+was\s+aborted`,
	`non-delivery\s+report`, `error\s+was\s+detected\s+while\s+processing`, `did\s+not\s+exactly\s+match`, `automatically\s+rejected`, `can\s?not\s+be\s+(?:delivered|found)`, `does\s+not\s+exist`, `not\s+a\s+valid\s+(?:user|address|recipient|mailbox)`, `(?:exceeded|over)\s+(?:its|their|the)?\s*(?:disk\s+)?quota|quota\s+(?:exceeded|violation)`,
	`не\s+(?:может\s+быть|было|удалось)\s+достав`, `nicht\s+(?:zugestellt|ausgeliefert|zustellen|erreicht)`, `konnte\s+nicht\s+an`, `não\s+(?:pôde|foi\s+possível)\s+(?:ser\s+)?entreg`, `nie\s+mo(?:że|gla|gła)\s+(?:zostać|być)\s+dostarczona`, `impossible\s+de\s+(?:remettre|livrer|distribuer)`,
	`(?:配信|配送|送信)(?:でき|する).{0,12}(?:ません|失敗)|届きません`, `无法(?:投递|送达|发送)|投递失败|退信`,
	`falha\s+na\s+entrega`, `imposs[íi]bile\s+recapitare`, `nie\s+można\s+dostarczyć|dostarczenie.{0,80}nie\s+powiodło`, `发送.{0,20}失败|无法(?:将|把)?.{0,12}(?:传递|发送|送达)|無法(?:將|把)?.{0,12}(?:傳遞|傳送|送達)`, `misslyckades`, `mislykke?[dt]es`, `сбой\s+доставки|не\s+уда(?:ется|лось)\s+доставить`,
	`배달하지\s*못|배달할\s+수\s+없|배달되지`, `teslim\s+(?:başarısız|edilemedi)|teslim\s+etme\s+başarısız`, `doručení.{0,80}nezdařilo`, `kézbesítés.{0,60}(?:sikertelen|nem\s+sikerült)`, `toimitus.{0,60}epäonnistui`, `配信に失敗`, `échec\s+de\s+la\s+remise`, `bezorging.{0,80}mislukt`, `fehler\s+bei\s+der\s+nachrichtenzustellung`, `error\s+al\s+entregar`,
	`unzustellbar`, `n['’]a\s+(?:pas|pu)\s+(?:pu\s+)?(?:[êe]tre|été)\s+(?:remis|d[ée]livr[ée]|distribu[ée])`, `no\s+(?:se\s+)?(?:ha\s+podido|pudo|puede)\s+(?:ser\s+)?entrega`, `non\s+è\s+stato\s+(?:recapitato|possibile)`, `kon\s+niet\s+worden\s+(?:bezorgd|afgeleverd)`,
	`kunde\s+inte\s+(?:levereras|skickas)`, `kunne\s+ikke\s+(?:leveres|sendes)`, `ei\s+voitu\s+toimittaa`, `nepodařilo\s+doručit|nedoručiteľn|nedoručiteln|nebol[ao]?\s+doručen`, `teslim\s+edileme`, `전송(?:에)?\s*실패|전송할\s+수\s+없|전달되지\s+못`, `δεν\s+(?:ήταν\s+δυνατή|παραδόθηκε)`, `nem\s+(?:sikerült\s+kézbesíteni|kézbesíthető)`, `nu\s+a\s+putut\s+fi\s+livrat`, `не\s+вдалося\s+(?:доставити|надіслати)`, `לא\s+ניתן\s+(?:למסור|היה)`, `تعذر\s+(?:تسليم|التسليم)`,
}, "|"))

// delayPhrase is how they say that they go on trying.
var delayPhrase = regexp.MustCompile(`(?is)(?:has|have)\s+(?:been\s+delayed|not\s+yet\s+been\s+delivered)|(?:will|shall)\s+(?:keep|continue|be\s+(?:retried|tried))[\w\s]{0,30}(?:try|deliver|retr)|transient\s+non-fatal\s+errors|still\s+undelivered|warning\s+message\s+only|you\s+do\s+not\s+need\s+to\s+resend|delivery\s+attempts\s+will\s+continue|has\s+been\s+postponed|advisory-only|noch\s+nicht\s+zugestellt|n['’]a\s+pas\s+encore\s+été`)

// permanentPhrase overrides the phrases of a delay: it was given up.
var permanentPhrase = regexp.MustCompile(`(?is)given\s+up|giving\s+up|permanent\s+(?:fatal\s+)?(?:error|failure)s?|failed\s+permanently|(?:time\s*-?out|retry\s+(?:time|timeout))\s+exceeded|too\s+long|has\s+expired|no\s+longer\s+(?:try|be\s+tried)`)

// copyMark begins what a report returns of the mail.
var copyMark = regexp.MustCompile(`(?im)^[ \t>]*(?:-+ *(?:this is a copy of|below this line is a copy|below this line|returned message|original message|the (?:header|full header|body)|message (?:header|text|body)|unsent message|forwarded message|urspr|kopie|message d|undelivered message)[^\n]*|(?:original message headers?|message headers? follows?|received message follows|the (?:header|first part|text) of (?:the|your) (?:original )?(?:message|mail)[^\n]*|here is (?:the|a copy of)[^\n]*|original message (?:headers?|details?|follows?)[^\n]*|[^\n]*start of returned message[^\n]*|[| -]*(?:message text|returned mail) follows?[^\n]*|a (?:copy|summary) of the (?:original|undelivered) message[^\n]*|your message reads[^\n]*|included is a copy[^\n]*|your original message[^\n]*):?[ \t]*)$`)

// notReached is where Exchange begins to name recipients, behind what it says of
// the mail: "Your message To: … Subject: … did not reach …".
var notReached = regexp.MustCompile(`(?is)^\s*your\s+message\s+to:.*?\bdid\s+not\s+reach\s+the\s+following`)

// withoutNotice takes that off.
func withoutNotice(text string) string {
	if at := notReached.FindStringIndex(text); at != nil {
		return text[at[1]-len("did not reach the following"):]
	}
	return text
}

// cutCopy splits a report into what it says and what it returns of the mail.
func cutCopy(text string) (report, copied string) {
	mark := copyMark.FindStringIndex(text)
	if mark == nil {
		return text, ""
	}
	return text[:mark[0]], text[mark[1]:]
}

// failures are the recipients that a report names in words, with what it says
// behind each.
func (r interpreter) failures(report string) []delivery {
	var found []delivery
	at := make(map[string]int)
	add := func(address string) int {
		i, known := at[address]
		if !known {
			if len(found) == maxFailed {
				return -1
			}
			i = len(found)
			at[address], found = i, append(found, delivery{final: address})
		}
		return i
	}
	listed, _ := addresses(strings.Join(r.mail.header["x-failed-recipients"], ", "))
	for _, person := range listed {
		add(person.Email)
	}
	current := -1
	for line := range strings.Lines(report) {
		line = strings.TrimSpace(line)
		if address, rest := failedAddress(line); address != "" && !r.isReporter(address) {
			if _, known := at[address]; known || len(listed) == 0 {
				current = add(address)
			}
			line = rest
		}
		if current >= 0 && line != "" && len(found[current].diagnostic) < maxSubject {
			found[current].diagnostic = strings.TrimSpace(found[current].diagnostic + " " + line)
		}
	}
	if len(found) == 0 {
		found = r.mentioned(report)
	}
	if returned := r.returned(); len(found) == 0 && len(returned.To) == 1 {
		found = append(found, delivery{final: returned.To[0].Email})
	}
	if len(found) > 1 {
		report = "" // What stands elsewhere may be about another.
	}
	for i := range found {
		found[i].diagnostic = serverWord(found[i].diagnostic, report)
	}
	return found
}

// help are the lines of a report that name somebody to ask.
var help = regexp.MustCompile(`(?i)\b(?:contact|questions?|assistance|support|help|please (?:send|write|e?-?mail)|mail from|messages? from|wenden|fragen|contactez)\b|^\s*(?:from|sender|reply-to|cc|von)\s*:`)

// mentioned are the addresses that a report has anywhere, where no line names a
// recipient as reports do.
func (r interpreter) mentioned(report string) []delivery {
	var found []delivery
	seen := make(map[string]bool)
	for line := range strings.Lines(report) {
		if help.MatchString(line) {
			continue
		}
		for _, at := range looseRecipient.FindAllStringIndex(line, -1) {
			address, _, _ := strings.Cut(line[at[0]:at[1]], "...")
			people, _ := addresses(strings.TrimRight(address, "."))
			if len(people) != 1 || seen[people[0].Email] || r.isReporter(people[0].Email) || len(found) == maxFailed {
				continue
			}
			seen[people[0].Email] = true
			found = append(found, delivery{final: people[0].Email, diagnostic: strings.TrimSpace(line)})
		}
	}
	return found
}

// looseRecipient is an address within a line.
var looseRecipient = regexp.MustCompile(`[^\s<>"'()\[\]:;,@=：，、。；（）【】《》「」“”]{1,64}@[^\s<>"'()\[\]:;,@：，、。；（）【】《》「」“”]{1,253}`)

// isReporter reports whether an address is the report's author or reader, who
// are named in such texts too.
func (r interpreter) isReporter(address string) bool {
	local, _, _ := strings.Cut(address, "@")
	if systemSender.MatchString(local) || address == r.mail.From.Email {
		return true
	}
	for _, person := range r.mail.To {
		if person.Email == address {
			return true
		}
	}
	return false
}

// failedLine is a line that begins with an address, or names one as mail systems do.
var failedLine = regexp.MustCompile(`(?i)^(?:(?:>>> )?rcpt to: *|(?:message |mail )?(?:delivered|message|mail|delivery|sent) to:? |(?:to|recipient|final-recipient|failed recipients?|intended recipient|undeliverable address|(?:unknown|invalid) user|invalid final delivery userid|error-for|address|an|für|à)[:=]+ *|[-*•] +|<?mailto:)?['"]?<?((?:"[^"\n]{1,64}"|[^\s<>"'()\[\]:;,@：，、。；（）【】《》「」“”][^\s<>"()\[\]:;,@：，、。；（）【】《》「」“”]{0,63})@[^\s<>"'()\[\]:;,@：，、。；（）【】《》「」“”]{1,253})['">]*(.*)$`)

// anywhere finds the sentences that name a recipient within a line.
var anywhere = regexp.MustCompile(`(?i)(?:(?:wasn['’]t|could(?:n['’]t| not)|was not|not be) (?:be )?delivered to:?|unable to deliver (?:your )?(?:message|mail) to|addressed to|smtp=|generated from|your message to|message to|mail to|rcpt to:) *['"]?<?([^\s<>"'()\[\]:;,@：，、。；（）【】《》「」“”][^\s<>"()\[\]:;,@：，、。；（）【】《》「」“”]{0,63}@[^\s<>"'()\[\]:;,@：，、。；（）【】《》「」“”]{1,253})['">]*(.*)$`)

// failedAddress is the recipient that a line names, and what follows it.
func failedAddress(line string) (address, rest string) {
	for _, form := range []*regexp.Regexp{failedLine, anywhere} {
		if parts := form.FindStringSubmatch(line); parts != nil {
			// sendmail writes "jo@x.example... User unknown".
			address, _, _ := strings.Cut(parts[1], "...")
			if people, _ := addresses(strings.TrimRight(address, ".")); len(people) == 1 {
				return people[0].Email, strings.TrimLeft(parts[2], " :,;>)")
			}
		}
	}
	return "", ""
}

// replyCode is what a server answers with: RFC 5321 section 4.2.
var replyCode = regexp.MustCompile(`#?\b([45]\d\d)[ -](?:#?[45]\.\d{1,3}\.\d{1,3}\b)?|#?\b[45]\.\d{1,3}\.\d{1,3}\b`)

// serverWord is what a server said of a recipient: from its reply code on, in
// what stands behind the recipient or else in the whole text.
func serverWord(behind, report string) string {
	if code := replyCode.FindStringIndex(behind); code != nil {
		return cleanLine(behind[code[0]:], maxSubject)
	}
	if code := replyCode.FindStringIndex(report); code != nil {
		line, _, _ := strings.Cut(report[code[0]:], "\n\n")
		return cleanLine(line, maxSubject)
	}
	if full := fullMailbox.FindString(report); full != "" && !fullMailbox.MatchString(behind) {
		return cleanLine(behind+" "+full, maxSubject)
	}
	return cleanLine(behind, maxSubject)
}
