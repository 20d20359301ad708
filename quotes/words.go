package quotes

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// opensWith are how lines begin that say who wrote something.
var opensWith = []string{
	"on ", "am ", "le ", "el ", "il ", "em ", "op ", "den ", "på ", "at ", "in ", "w dniu", "dnia ", "dne ", "il giorno", "kl.", "в ", "a ", "pe ", "ma ", "ti ", "ke ", "to ", "la ",
	"quoting ", "zitat von", "citando ", "citation de", "zitiere ", "zitat ", "dňa ", "vào ", "pada ", "tarihinde",
	"from my ", "sent from", "von meinem", "gesendet ", "envoyé ", "-----", "_____", "mon,", "tue,", "wed,", "thu,", "fri,", "sat,", "sun,",
}

// beginsAttribution reports whether a line begins with the words of an attribution.
func beginsAttribution(line string) bool {
	lower := strings.ToLower(line[:min(len(line), 24)])
	for _, words := range opensWith {
		if strings.HasPrefix(lower, words) {
			return true
		}
	}
	return false
}

// opensAttribution is a cheap test for what may begin an attribution.
func opensAttribution(line string) bool {
	if beginsAttribution(line) {
		return true
	}
	// A date, a name with an address, or all on one line.
	return line[0] >= '0' && line[0] <= '9' || strings.ContainsAny(line, "<@") || strings.HasSuffix(line, ":") || strings.HasSuffix(line, "：") || strings.HasSuffix(line, "wrote")
}

// wrote are the words for it, before the colon.
const wrote = `(?:wrote|writes|said|sent|schrieb(?:en)?|schreibt|geschrieben|a écrit|écrit|ecrit|écrivait|escribió|escribio|ha scritto|scrive|scriveva|escreveu|schreef|het volgende geschreven|skrev|kirjoitti|napisał(?:\(?a\)?)?|napisał/a|pisze|napsal(?:\(?a\)?)?|napísal(?:\(?a\)?)?|írta|şunu yazdı|yazdı|написал(?:\(?а\)?)?|пишет|пише|написа|έγραψε|a scris|đã viết|menulis|写道|寫道|のメール|書きました|작성)`

var (
	// saidSo is an attribution: who and when, and that they wrote, or that and when.
	saidSo = regexp.MustCompile(`(?is)^(?:.*[\s>,;"'\])])?` + wrote + `(?:\s+(?:am|an|on|le|el|il|em|op|den|dnia|at|um|the following|folgendes)\b.*\d.*|\s*\([^)]*\)|\s+(?:folgendes|the following|dies|:)|,)?\s*[:：]\s*-*$`)
	// onThatDay is one that begins with when, in the order of most languages:
	// "Am 10.11.2026 um 10:00 schrieb Ana <ana@acme.example>:".
	onThatDay = regexp.MustCompile(`(?is)^(?:on|am|an|at|le|el|il|em|op|den|på|kl\.?|w dniu|dnia|dne|dňa|il giorno|pe|în|to|ti|ma|ke|la|mon|tue|wed|thu|fri|sat|sun)[\s,].*\d.*[\s>,.)]` + wrote + `(?:[^\p{L}].*)?[:：]\s*$`)
	// saidInOne is one in a language that writes words as one.
	saidInOne = regexp.MustCompile(`(?:写道|寫道|のメール|書きました|님이 작성|작성)\s*[:：]?$`)
	// bySelf begins a sentence that people write themselves.
	bySelf = regexp.MustCompile(`(?i)^(?:i|we|you|as|he|she|they|what|who|ich|wir|wie|er|sie|was|je|nous|vous|il a|elle|on (?:a|nous)|yo|como)\s`)
	// quoting is how webmail of before says it.
	quoting = regexp.MustCompile(`(?i)^(?:quoting|zitat von|zitiere|citando|citation de|wiadomość napisana przez)\s.*:$`)
	// dated is Gmail's of before: 2026-11-10 10:00 GMT+01:00 Ana <ana@acme.example>:
	dated = regexp.MustCompile(`^\d{4}[-/.]\d{1,2}[-/.]\d{1,2}[^<]*<\s*[^<>\s]+@[^<>\s]+\s*>\s*[:：]?$`)
	// addressed is a time and an address, in languages that have no verb there. It
	// counts before a quote alone.
	addressed = regexp.MustCompile(`^.*\d.*<\s*[^<>\s]+@[^<>\s]+\s*>\s*[:：]$`)
	// somehow is a line with an address, a year and a time, in whatever language and
	// order. It counts before a quote alone.
	somehow = regexp.MustCompile(`^.*<\s*[^<>\s]+@[^<>\s]+\s*>.*[:：]$`)
	// year and clock are of a date that a program wrote.
	year  = regexp.MustCompile(`(?:^|\D)(?:19|20)\d\d(?:\D|$)`)
	clock = regexp.MustCompile(`(?:^|\D)\d{1,2}[:.]\d\d(?:\D|$)`)
	// byDate is one that begins with its date and ends with the address, where no verb
	// is: "вт, 10 нояб. 2026 г. в 10:00, Ana <ana@acme.example>:". A line of one's own
	// has hardly year, time and address in this order.
	byDate = regexp.MustCompile(`(?i)^(?:\p{L}[\p{L}.]{0,12},?\s+)?\d.*(?:<\s*[^<>\s]+@[^<>\s]+\s*>|\s(?:by|von)\s[^<>\s]+@[^<>\s]+)\s*[:：]$`)
	// inOne is Yahoo's on phones, which has the quoted text behind it on its line.
	inOne = regexp.MustCompile(`(?i)^(?:on|am|le|el|il|em)\s.{0,100}\d{4}.{0,160}<\s*[^<>\s]+@[^<>\s]+\s*>\s*(?:wrote|schrieb|a écrit|escribió|ha scritto|escreveu)\s?:\s+\S`)
	// without is one that lacks the colon, as some phones write it.
	without = newPattern(`(?i)^on\b.*\d.*(?:>|@[\w.-]+)\s*wrote$`)
)

// isAttribution reports whether the lines that were joined say who wrote what follows.
func isAttribution(text string) bool {
	if !strings.ContainsAny(text, "0123456789@<") {
		return false
	}
	// "---- On Tue, 10 Nov 2026, Ana wrote ----" has its dashes for a colon.
	if inner := strings.Trim(text, "-–—_* "); len(inner) <= len(text)-6 && !strings.HasSuffix(inner, ":") {
		text = inner + ":"
	}
	colon := endsInColon(strings.TrimRight(text, "- "))
	if colon && (saidSo.MatchString(text) || onThatDay.MatchString(text)) || !isASCII(text) && saidInOne.MatchString(text) {
		return !bySelf.MatchString(text)
	}
	return colon && quoting.MatchString(text) || text[0] >= '0' && text[0] <= '9' && dated.MatchString(text) ||
		!colon && without.matches(text) || colon && hasInstant(text) && byDate.MatchString(text)
}

// hasInstant reports whether a text has a year and a time of day.
func hasInstant(text string) bool { return year.MatchString(text) && clock.MatchString(text) }

// endsInColon reports whether a text ends in a colon of either width.
func endsInColon(text string) bool {
	return strings.HasSuffix(text, ":") || strings.HasSuffix(text, "：")
}

func isASCII(text string) bool {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// ruler is a line that mail programs put before what they quote.
var ruler = newPattern(`(?i)^[-_=*#~ >]{0,40}\s?(?:` + strings.Join([]string{
	`original (?:message|mail|appointment|e-?mail)`, `(?:begin )?forwarded (?:message|by)`, `reply message`, `message follows`, `quoted text`, `end of original message`,
	`ursprüngliche (?:nachricht|mail|e-mail)`, `urspruengliche nachricht`, `original-?nachricht`, `originalnachricht`, `weitergeleitete nachricht`, `anfang der weitergeleiteten nachricht`,
	`message d['’]origine`, `message original`, `message transféré`, `message initial`, `début du message (?:transféré|réexpédié)`, `e-?mail d['’]origine`,
	`mensaje original`, `mensaje reenviado`, `messaggio originale`, `messaggio inoltrato`, `mensagem original`, `oorspronkelijk bericht`, `doorgestuurd bericht`,
	`ursprungligt meddelande`, `original meddelelse`, `oprindelig meddelelse`, `opprinnelig melding`, `alkuperäinen viesti`, `oryginalna wiadomość`, `wiadomość oryginalna`,
	`inicio del mensaje reenviado`, `inizio messaggio inoltrato`, `begin doorgestuurd bericht`, `início da mensagem (?:reen|en)caminhada`, `välitetty viesti alkaa`, `začátek přeposílané zprávy`, `začiatok preposlanej správy`, `start på videresendt besked`,
	`továbbított levél kezdete`, `początek przekazywanej wiadomości`, `începe mesajul redirecționat`, `начало переадресованного сообщения`, `початок листа, що пересилається`, `započni proslijeđenu poruku`, `転送されたメッセージ`, `원본 이메일`,
	`(?:videresendt melding|vidarebefordrat mejl|ileti başlangıcı)\s?:$`,
	`(?:přeposlaná zpráva|videresendt meddelelse|edelleenlähetetty viesti|message transmis|továbbított üzenet|videresendt melding|przekazana wiadomość|mensagem (?:reen|en)caminhada|mesaj redirecționat|preposlaná správa|vidarebefordrat meddelande|iletilmiş mesaj|перенаправлене повідомлення|proslijeđena poruka|перенаправленное сообщение|iletilen ileti|переслане повідомлення|treść przekazanej wiadomości) ?-{3,}`,
	`původní (?:zpráva|e-mail)`, `pôvodná správa`, `(?:please )?(?:type|write) your reply above this line`, `bitte (?:geben|schreiben) sie ihre antwort (?:über|oberhalb) dieser (?:linie|zeile)(?: ein)?`, `eredeti üzenet`, `исходное сообщение`, `пересылаемое сообщение`, `orijinal mesaj`, `元のメッセージ`, `原始邮件`, `原始郵件`, `원본 메시지`, `original message processed by`,
}, "|") + `)\b?[^\n]{0,40}?[-_=*#~: ]*$`)

// isLine reports whether a line is drawn: "_____", "-----", "=====".
func isLine(line string) bool {
	return len(line) >= 5 && (strings.Trim(line, "_") == "" || strings.Trim(line, "-") == "" || strings.Trim(line, "=") == "" || strings.Trim(line, "*") == "" || strings.Trim(line, "–—─━") == "")
}

// headerField is a line of a copied header.
var headerField = regexp.MustCompile(`^\*?([\p{L}][\p{L}\p{M} .\-]{0,22}?)\*?\s?[:：]\*?(?:\s|$|[^/\s])`)

// headerFields are the names of the fields, in the words of mail programs.
var headerFields = fieldNames(map[string]string{
	"from":    "from de von van da fra från od lähettäjä feladó от отправитель kimden gönderen 差出人 发件人 寄件者 보낸사람 보낸|사람 발신 expéditeur remitente mittente absender nadawca šalje de|la expeditorul saatja від від|кого από מאת من từ จาก",
	"date":    "date sent datum gesendet envoyé date|d'envoi fecha enviado enviado|el data inviato enviada|em enviada verzonden skickat sendt dato wysłano data|wysłania odesláno odoslané lähetetty päivämäärä elküldve dátum отправлено дата gönderildi tarih poslano enviat|el trimis изпратено надіслано στάλθηκε ημερομηνία נשלח תאריך تم|الإرسال التاريخ đã|gửi ส่ง วันที่ 送信日時 日時 日付 发送时间 日期 寄件日期 날짜 보낸|날짜 am le",
	"to":      "to an à a para per aan till til do komu pre kenelle vastaanottaja címzett кому kime prima pour adresat per|a către destinatarul до προς אל إلى đến ถึง 宛先 收件人 收件者 받는사람 받는|사람 받은|사람 destinataire empfänger",
	"cc":      "cc kopie copie copia kópia dw kopi kopia копия копія bilgi κοιν עותק نسخة 抄送 副本 참조 bcc",
	"subject": "subject betreff objet asunto oggetto assunto onderwerp ämne emne temat předmět predmet aihe tárgy тема относно konu naslov subiect subiectul θέμα נושא الموضوع chủ|đề เรื่อง 件名 主题 主旨 제목 sujet re",
	"other":   "reply-to antwort|an importance wichtigkeit priorität priority attachments anlagen",
})

func fieldNames(words map[string]string) map[string]string {
	names := make(map[string]string)
	for field, list := range words {
		for _, name := range strings.Fields(list) {
			names[strings.ReplaceAll(name, "|", " ")] = field
		}
	}
	return names
}
