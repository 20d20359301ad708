package quotes

import (
	"strings"
)

// maxSignature bounds the lines behind a closing that are a signature.
const maxSignature = 12

// signatures marks the signatures of the runs of lines that are not quoted.
func (s *splitter) signatures() {
	s.armor()
	for begin := 0; begin < len(s.lines); {
		if s.kinds[begin] != OwnWords {
			begin++
			continue
		}
		end := begin
		for end < len(s.lines) && s.kinds[end] == OwnWords {
			end++
		}
		s.signatureOf(begin, end)
		begin = end
	}
}

// armor marks what OpenPGP puts before and behind a text that is signed in clear: RFC
// 9580 section 7. What is behind the signature was added on the way.
func (s *splitter) armor() {
	for i := 0; i < len(s.lines); i++ {
		head := strings.HasPrefix(s.lines[i], "-----BEGIN PGP SIGNED MESSAGE-----")
		if s.kinds[i] != OwnWords || !head && !strings.HasPrefix(s.lines[i], "-----BEGIN PGP SIGNATURE-----") {
			continue
		}
		begin := i
		for i+1 < len(s.lines) && s.kinds[i+1] == OwnWords && (!head || s.lines[i+1] != "") {
			i++
		}
		s.mark(begin, i+1, Signature)
	}
}

// signatureOf marks the signature of a run, and blank lines at its end.
func (s *splitter) signatureOf(begin, end int) {
	for i := begin; i < end; i++ {
		if isDelimiter(s.lines[i]) && (i > begin || s.wrote(begin)) || disclaimer.matches(s.lines[i]) {
			s.mark(i, end, Signature)
			end = i
			break
		}
	}
	// Phones and apps sign at the end, behind a closing or in its place.
	for i := begin; i < end; i++ {
		if device.matches(s.lines[i]) {
			s.kinds[i] = Signature
			if s.next(i+1) >= end {
				end = i
				break
			}
		}
	}
	s.closing(begin, end)
}

// wrote reports whether there are own words before a line.
func (s *splitter) wrote(before int) bool {
	for i := range before {
		if s.kinds[i] == OwnWords && s.lines[i] != "" {
			return true
		}
	}
	return false
}

// closing marks what stands from a closing on: its name, company, telephone. A run
// that is nothing but that stays.
func (s *splitter) closing(begin, end int) {
	first := s.next(begin)
	for i := end - 1; i > first; i-- {
		if !closing.matches(s.lines[i]) {
			continue
		}
		behind := 0
		for j := i + 1; j < end; j++ {
			switch line := s.lines[j]; {
			case line == "" || s.kinds[j] != OwnWords:
			case len([]rune(line)) > 90 || endsSentence(line):
				return // It goes on.
			default:
				behind++
			}
		}
		if behind <= maxSignature {
			s.mark(i, end, Signature)
		}
		return
	}
}

// endsSentence reports whether a line is one that people write, and not a part of a
// signature.
func endsSentence(line string) bool {
	return strings.Count(line, " ") > 4 && strings.ContainsAny(line[len(line)-1:], ".?!")
}

// isDelimiter reports whether a line begins a signature: RFC 3676 section 4.3.
func isDelimiter(line string) bool {
	return line == "--" || line == "—" || line == "–" || line == "---" || len(line) >= 3 && len(line) < 60 && strings.Trim(line, "_") == ""
}

// closing is a line that ends a letter.
var closing = newPattern(`(?i)^(?:` + strings.Join([]string{
	`(?:many |with |warm |best |kind |kindest |all the )*(?:best|regards|wishes)(?: and thanks| to all)?`, `thanks?(?: you)?(?: very much| so much| a lot| in advance| again| and (?:best |kind )?regards)?`, `many thanks`, `cheers`, `sincerely(?: yours)?`, `yours (?:sincerely|faithfully|truly)`, `respectfully`, `take care`, `rgds`, `br`, `kr`, `ttyl`,
	`(?:mit )?(?:freundliche[nm]?|beste[nm]?|herzliche[nm]?|liebe[nm]?|schöne[nm]?|viele[nm]?|sonnige[nm]?)(?: (?:freundliche|liebe|herzliche|schöne))? grü(?:ß|ss)e?n?(?: aus [\p{L} ]{2,20})?`, `mit freundlichem gru(?:ß|ss)`, `(?:viele|liebe|beste|schöne|herzliche) grü(?:ß|ss)e(?: aus [\p{L} ]{2,20})?`, `(?:lieben|besten|herzlichen|schönen) (?:gruß|gruss|dank)(?: im voraus)?`, `vielen dank(?: und (?:viele|beste|freundliche) grü(?:ß|ss)e| im voraus)?`, `danke(?: und (?:viele )?grü(?:ß|ss)e)?`, `grü(?:ß|ss)e?(?: aus [\p{L} ]{2,20})?`, `gruß`, `gruss`, `mfg`, `lg`, `vg`, `hochachtungsvoll`, `ihr(?:e)?`,
	`(?:bien )?cordialement`, `(?:bien|très) à vous`, `sincères salutations`, `(?:meilleures?|cordiales|bonnes) salutations`, `salutations(?: distinguées)?`, `bonne (?:journée|soirée|réception)`, `bien cordialement`, `amicalement`, `merci(?: beaucoup| d['’]avance| bien)?`, `à bientôt`, `je vous prie d['’]agréer.{0,80}`, `cdlt`, `bàt`,
	`saludos(?: cordiales)?`, `un (?:cordial )?saludo`, `atentamente`, `gracias`, `cordiali saluti`, `distinti saluti`, `saluti`, `grazie`, `atenciosamente`, `obrigad[oa]`, `abraços`, `com os melhores cumprimentos`, `cumprimentos`,
	`(?:met )?(?:vriendelijke|hartelijke) groet(?:en)?`, `groet(?:en|jes)?`, `bedankt`, `(?:med )?vänliga? hälsning(?:ar)?`, `hälsningar`, `mvh`, `(?:med )?venlig hilsen`, `hilsen`, `terveisin`, `pozdrawiam`, `z poważaniem`, `s pozdravem`, `üdvözlettel`, `с уважением`, `saygılarımla`,
}, "|") + `)\s*[,.!;:–-]*$`)

// device is what phones and apps sign with.
var device = newPattern(`(?i)^[-–—*_]*\s*(?:` + strings.Join([]string{
	`(?:sent|enviado|envoyé|inviato|verstuurd|verzonden|skickat|sendt|sent:|wysłane|odesláno|отправлено|надіслано|изпратено|gesendet|versendet|geschickt)\s+(?:by|from|with|via|using|von|mit|über|aus|de|depuis|à partir de|desde|da|dal|do|vanaf|van|met|från|fra|z|ze|из|с|з|зі|от)(?:[^\p{L}\p{M}].{0,90})?`,
	`von meinem .{2,40} gesendet.{0,10}`, `diese nachricht wurde (?:von|mit) .{2,60} gesendet.{0,3}`, `von unterwegs gesendet.{0,3}`, `(?:get|holen sie sich|télécharger|obtener|scarica|download) outlook (?:for|für|pour|para|per) .{2,30}`, `outlook (?:for|für|pour) (?:ios|android).{0,60}`,
	`get bluemail for .{2,30}`, `sent on the go.{0,40}`, `sent while mobile`, `sorry for (?:the )?(?:brevity|typos).{0,60}`, `please excuse (?:my )?(?:brevity|typos|any).{0,60}`, `obtenez outlook.{0,40}`, `télécharge[rz] outlook.{0,40}`,
	`lähetetty (?:iphone|ipad|\S{2,20}-?(?:laite|puhelim))\S{0,8}`, `(?:iphone|ipad)['’]?\S{0,8} gönderildi`, `az? \S{3,20}-\S{1,8} küldve`, `στάλθηκε από τ(?:ο|η|ην) .{2,40}`, `נשלח מה?-?.{2,40}`, `مُ?رسل من .{2,40}`, `내 .{2,20}에서 보냈습니다`,
	`mit der sicheren e-mail von proton ?mail gesendet`, `(?:envoyé|enviado|inviato) (?:avec|con|com) .{0,50}(?:proton|outlook|spark|android|iphone).{0,20}`,
	`envoyé (?:de|depuis) mon .{2,40}`, `(?:iPhone|iPad)から送信`, `发自我的.{1,20}`, `從我的.{1,20}`, `나의 .{1,20}에서 보냄`, `typed on (?:a|my) .{2,40}`, `yahoo mail[:!].{0,60}`, `do you yahoo!\?.{0,40}`,
}, "|") + `)[.!>]*$`)

// disclaimer begins what lawyers add.
var disclaimer = newPattern(`(?i)^[*\-_ ]*(?:` + strings.Join([]string{
	`(?:confidentiality|legal|privacy)? ?(?:notice|disclaimer) ?:`, `confidentiality (?:notice|note|statement)`, `disclaimer$`, `(?:this|the information (?:contained )?in this) (?:e-?mail|message|communication|transmission)[^.]{0,80}(?:confidential|privileged|intended|may contain)`,
	`diese (?:e-?mail|nachricht)[^.]{0,60}(?:vertraulich|rechtlich geschützt)`, `(?:ce|le présent|ce) (?:message|courriel|e-?mail)[^.]{0,80}(?:confidentiel|destiné|privilégié)`, `este (?:mensaje|correo)[^.]{0,80}confidencial`, `p(?:lease)? consider the environment`, `bitte (?:denken|prüfen) sie[^.]{0,60}(?:umwelt|ausdruck)`, `pensez à l['’]environnement`,
	`(?:geschäftsführer|geschäftsführung|vorstand|aufsichtsrat|sitz der gesellschaft|registergericht|amtsgericht|handelsregister)\b.{0,10}:`, `avast|virus-?free\. www|diese e-mail wurde (?:von avast )?auf viren geprüft`,
	`you received this message because you are subscribed`, `to unsubscribe from this group`, `_{20,}$`,
}, "|") + `)`)
