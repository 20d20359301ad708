package mailbox

import (
	"path/filepath"
	"strconv"
	"strings"
)

// Folder is what the folder of a mail says of it.
type Folder string

// The folders that say something.
const (
	FolderSent   Folder = "sent"
	FolderDrafts Folder = "drafts"
	FolderTrash  Folder = "trash"
	FolderSpam   Folder = "spam"
	FolderChat   Folder = "chat"
)

// folderNames are names of folders and Gmail labels, in lower case and without
// what stands around words, as mail programs write them in several languages.
var folderNames = map[string]Folder{
	"sent": FolderSent, "sent items": FolderSent, "sent mail": FolderSent, "sent messages": FolderSent, "sentmail": FolderSent,
	"sent-mail": FolderSent, "sent_mail": FolderSent, "_sent_mail": FolderSent, "sent_items": FolderSent, "sentitems": FolderSent,
	"outbox-sent": FolderSent, "gesendet": FolderSent, "gesendete elemente": FolderSent, "gesendete objekte": FolderSent,
	"gesendete nachrichten": FolderSent, "envoyés": FolderSent, "éléments envoyés": FolderSent, "messages envoyés": FolderSent,
	"enviados": FolderSent, "elementos enviados": FolderSent, "mensajes enviados": FolderSent, "itens enviados": FolderSent,
	"e-mails enviados": FolderSent, "inviati": FolderSent, "posta inviata": FolderSent, "inviata": FolderSent,
	"verzonden": FolderSent, "verzonden items": FolderSent, "verzonden berichten": FolderSent, "skickat": FolderSent,
	"sendt": FolderSent, "sendte elementer": FolderSent, "wysłane": FolderSent, "elementy wysłane": FolderSent,
	"отправленные": FolderSent, "送信済み": FolderSent, "送信済みメール": FolderSent, "已发送": FolderSent, "已发送邮件": FolderSent,
	"gesendete e-mails": FolderSent, "gesendete mails": FolderSent, "envoyé": FolderSent, "courrier envoyé": FolderSent,
	"enviadas": FolderSent, "enviats": FolderSent, "skickade": FolderSent, "skickade objekt": FolderSent, "sendt post": FolderSent,
	"sendt e-post": FolderSent, "sendte": FolderSent, "lähetetyt": FolderSent, "lähetetyt viestit": FolderSent, "odeslané": FolderSent,
	"odeslaná pošta": FolderSent, "odoslané": FolderSent, "odoslaná pošta": FolderSent, "elküldött": FolderSent,
	"elküldött elemek": FolderSent, "elküldött üzenetek": FolderSent, "gönderilmiş öğeler": FolderSent, "gönderilenler": FolderSent,
	"gönderilmiş postalar": FolderSent, "gönderilmiş": FolderSent, "απεσταλμένα": FolderSent, "απεσταλμένα στοιχεία": FolderSent,
	"trimise": FolderSent, "elemente trimise": FolderSent, "poslano": FolderSent, "poslane stavke": FolderSent, "poslane": FolderSent,
	"изпратени": FolderSent, "надіслані": FolderSent, "відправлені": FolderSent, "보낸편지함": FolderSent, "보낸 편지함": FolderSent,
	"送信済みアイテム": FolderSent, "送信済みトレイ": FolderSent, "送信済トレイ": FolderSent, "寄件備份": FolderSent, "已发邮件": FolderSent, "已傳送": FolderSent,
	"已傳送的郵件": FolderSent, "פריטים שנשלחו": FolderSent, "דואר שנשלח": FolderSent, "العناصر المرسلة": FolderSent, "البريد المرسل": FolderSent,
	"đã gửi": FolderSent, "thư đã gửi": FolderSent, "terkirim": FolderSent, "item terkirim": FolderSent, "ส่งแล้ว": FolderSent,

	"drafts": FolderDrafts, "draft": FolderDrafts, "entwürfe": FolderDrafts, "brouillons": FolderDrafts, "borradores": FolderDrafts,
	"rascunhos": FolderDrafts, "bozze": FolderDrafts, "concepten": FolderDrafts, "utkast": FolderDrafts, "kladder": FolderDrafts,
	"szkice": FolderDrafts, "wersje robocze": FolderDrafts, "черновики": FolderDrafts, "下書き": FolderDrafts, "草稿": FolderDrafts,
	"unsent messages": FolderDrafts, "templates": FolderDrafts, "outbox": FolderDrafts,
	"luonnokset": FolderDrafts, "koncepty": FolderDrafts, "rozepsané": FolderDrafts, "piszkozatok": FolderDrafts, "taslaklar": FolderDrafts,
	"πρόχειρα": FolderDrafts, "schițe": FolderDrafts, "nacrti": FolderDrafts, "чернетки": FolderDrafts, "임시보관함": FolderDrafts,
	"임시 보관함": FolderDrafts, "草稿箱": FolderDrafts, "טיוטות": FolderDrafts, "المسودات": FolderDrafts, "thư nháp": FolderDrafts,
	"draf": FolderDrafts, "esborranys": FolderDrafts,

	"trash": FolderTrash, "deleted": FolderTrash, "deleted items": FolderTrash, "deleted messages": FolderTrash, "bin": FolderTrash,
	"deleted_items": FolderTrash, "papierkorb": FolderTrash, "gelöschte elemente": FolderTrash, "gelöschte objekte": FolderTrash,
	"corbeille": FolderTrash, "éléments supprimés": FolderTrash, "papelera": FolderTrash, "elementos eliminados": FolderTrash,
	"lixeira": FolderTrash, "itens excluídos": FolderTrash, "cestino": FolderTrash, "posta eliminata": FolderTrash,
	"prullenbak": FolderTrash, "verwijderde items": FolderTrash, "papperskorgen": FolderTrash, "kosz": FolderTrash,
	"корзина": FolderTrash, "удаленные": FolderTrash, "удалённые": FolderTrash, "ゴミ箱": FolderTrash, "已删除": FolderTrash, "已删除邮件": FolderTrash,
	"papperskorg": FolderTrash, "papirkurv": FolderTrash, "slettede elementer": FolderTrash, "slettet post": FolderTrash,
	"borttaget": FolderTrash, "roskakori": FolderTrash, "poistetut": FolderTrash, "koš": FolderTrash, "odstraněná pošta": FolderTrash,
	"kôš": FolderTrash, "kuka": FolderTrash, "törölt elemek": FolderTrash, "çöp kutusu": FolderTrash, "silinmiş öğeler": FolderTrash,
	"κάδος απορριμμάτων": FolderTrash, "διαγραμμένα στοιχεία": FolderTrash, "coș de gunoi": FolderTrash, "elemente șterse": FolderTrash,
	"smeće": FolderTrash, "кошик": FolderTrash, "видалені": FolderTrash, "휴지통": FolderTrash, "지운 편지함": FolderTrash, "削除済みアイテム": FolderTrash,
	"垃圾桶": FolderTrash, "已刪除的郵件": FolderTrash, "אשפה": FolderTrash, "פריטים שנמחקו": FolderTrash, "المهملات": FolderTrash,
	"العناصر المحذوفة": FolderTrash, "thùng rác": FolderTrash, "sampah": FolderTrash, "paperera": FolderTrash,

	"spam": FolderSpam, "junk": FolderSpam, "junk e-mail": FolderSpam, "junk email": FolderSpam, "junk mail": FolderSpam,
	"bulk mail": FolderSpam, "junk-e-mail": FolderSpam, "spamverdacht": FolderSpam, "courrier indésirable": FolderSpam,
	"indésirables": FolderSpam, "correo no deseado": FolderSpam, "lixo eletrônico": FolderSpam, "posta indesiderata": FolderSpam,
	"ongewenste e-mail": FolderSpam, "skräppost": FolderSpam, "спам": FolderSpam, "迷惑メール": FolderSpam, "垃圾邮件": FolderSpam,
	"uønsket post": FolderSpam, "søppelpost": FolderSpam, "uønsket e-post": FolderSpam, "roskaposti": FolderSpam,
	"nevyžádaná pošta": FolderSpam, "nevyžiadaná pošta": FolderSpam, "levélszemét": FolderSpam, "gereksiz e-posta": FolderSpam,
	"ανεπιθύμητα": FolderSpam, "ανεπιθύμητη αλληλογραφία": FolderSpam, "nedorită": FolderSpam, "neželjena pošta": FolderSpam,
	"wiadomości-śmieci": FolderSpam, "небажана пошта": FolderSpam, "нежелательная почта": FolderSpam, "스팸함": FolderSpam, "스팸메일함": FolderSpam,
	"정크 메일": FolderSpam, "垃圾郵件": FolderSpam, "דואר זבל": FolderSpam, "البريد غير الهام": FolderSpam, "thư rác": FolderSpam,

	"chat": FolderChat, "chats": FolderChat, "conversation history": FolderChat,
}

// folderOf is what a folder's name says.
func folderOf(name string) Folder {
	name = strings.ToLower(strings.Trim(toUTF8(name), " .\"/"))
	name = strings.TrimPrefix(name, "[gmail]/")
	name = strings.TrimPrefix(name, "[google mail]/")
	return folderNames[name]
}

// FolderOfPath is what the folders that a file lies in say of it, the nearest
// first: "Maildir/.Sent/cur", "Sent Messages.mbox/mbox", "[Gmail]/Drafts.mbox",
// ".INBOX.Sent". At most the last four folders are looked at.
func FolderOfPath(path string) Folder {
	parts := strings.Split(filepath.ToSlash(path), "/")
	for i := len(parts) - 1; i >= max(0, len(parts)-5); i-- {
		name := parts[i]
		for _, extension := range []string{".gz", ".zst", ".bz2", ".zip", ".mbox", ".mbx", ".sbd", ".eml", ".emlx"} {
			if len(name) > len(extension) && strings.EqualFold(name[len(name)-len(extension):], extension) {
				name = name[:len(name)-len(extension)]
			}
		}
		if found := folderOf(decodeFolder(name)); found != "" {
			return found
		}
		// A Maildir++ folder has its parents in its name.
		if strings.HasPrefix(name, ".") && strings.Count(name, ".") > 1 {
			if found := folderOf(decodeFolder(name[strings.LastIndexByte(name, '.')+1:])); found != "" {
				return found
			}
			levels := strings.Split(strings.Trim(name, "."), ".")
			for _, level := range levels {
				if found := folderOf(decodeFolder(level)); found != "" {
					return found
				}
			}
		}
	}
	return ""
}

// decodeFolder reads the modified UTF-7 of IMAP, which Maildirs have: RFC 3501
// section 5.1.3.
func decodeFolder(name string) string {
	if !strings.Contains(name, "&") {
		return name
	}
	var out strings.Builder
	for name != "" {
		before, rest, found := strings.Cut(name, "&")
		out.WriteString(before)
		if !found {
			break
		}
		coded, after, closed := strings.Cut(rest, "-")
		switch {
		case !closed:
			out.WriteString("&" + rest)
			after = ""
		case coded == "":
			out.WriteByte('&')
		default:
			out.WriteString(decodeUTF7([]byte("+" + strings.ReplaceAll(coded, ",", "/") + "-")))
		}
		name = after
	}
	return out.String()
}

// labels are the Gmail labels of a mail, as Takeout writes them.
func (m Mail) labels() []string {
	text := decodeWords(strings.Join(m.header["x-gmail-labels"], ","), "")
	var labels []string
	for _, label := range strings.Split(text, ",") {
		if label = strings.TrimSpace(label); label != "" {
			labels = append(labels, label)
		}
	}
	return labels
}

func (m Mail) hasLabels() bool { return m.header.has("x-gmail-labels") }

// labelled reports whether a mail has a label that says it lies in a folder.
func (m Mail) labelled(folder Folder) bool {
	for _, label := range m.labels() {
		if folderOf(label) == folder {
			return true
		}
	}
	return false
}

// Bits of X-Mozilla-Status, as Mozilla's nsMsgMessageFlags.h has them.
const (
	mozillaExpunged = 0x0008
	// mozillaDeleted is in X-Mozilla-Status2: deleted on an IMAP server.
	mozillaDeleted = 0x00200000
)

// leftOut is the kind of a mail that was never sent or is wanted no more, or
// empty.
func (m Mail) leftOut(folder Folder) Kind {
	for _, each := range []struct {
		folder Folder
		kind   Kind
	}{{FolderDrafts, Draft}, {FolderTrash, Trash}, {FolderSpam, Spam}, {FolderChat, Chat}} {
		if folder == each.folder || m.labelled(each.folder) {
			return each.kind
		}
	}
	hex := func(name string) uint64 {
		n, _ := strconv.ParseUint(strings.TrimSpace(m.header.first(name)), 16, 64)
		return n
	}
	// mbox programs after Berkeley mail note D for deleted, mutt and others.
	if hex("x-mozilla-status")&mozillaExpunged != 0 || hex("x-mozilla-status2")&mozillaDeleted != 0 ||
		strings.Contains(m.header.first("x-status"), "D") {
		return Trash
	}
	if strings.Contains(m.header.first("x-status"), "T") {
		return Draft
	}
	return ""
}
