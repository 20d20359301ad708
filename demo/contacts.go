package demo

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"tidings/event"
)

// contact is somebody whom we write to.
type contact struct {
	person  event.Person
	company int
	// keen is the chance that they open a mail.
	keen float64
	// reader is what they read mail with, and where from.
	reader reader
	// away is a second device of theirs.
	away reader
	// phrase is how to greet them.
	phrase string
}

// reader is a device or a program that a person reads mail with.
type reader struct {
	agent string
	ip    string
	// proxy names who fetches pictures for them, empty for nobody.
	proxy string
}

// pools are names by region. Where a name is written in another script its
// Latin form, which the address is made of, stands behind a stroke.
func pools() map[string][2][]string {
	words := strings.Fields
	return map[string][2][]string{
		"english":    {words("Oliver Amelia Harriet George Imogen Callum Freya Arthur Poppy Rhys Eleanor Duncan"), words("Whitfield Ashdown Hartley Pemberton Lowe Gallagher Fairclough Tindall Marsden Bevan Sutcliffe")},
		"irish":      {words("Aoife Ciarán Niamh Oisín Saoirse Declan Róisín Fergal Gráinne Pádraig"), words("Brady Kavanagh Mulcahy Fitzgerald Brennan O'Dowd Geraghty Lenihan")},
		"american":   {words("Tyler Maya Brandon Denise Marcus Alicia Hannah Dwayne Kaitlyn Jorge Mei Tamika"), words("Whitaker Delgado Nguyen Hollister Brooks Yamada Kowalski Freeman Castellano Rhodes Patel")},
		"french":     {words("Élodie Thibault Camille Hugo Margaux Benoît Inès Rémi Solène Yasmine Gaël Aurélie"), words("Lefèvre Delacroix Marchand Benali Fournier Rousselot Chevallier Diallo Lemoine Garnier")},
		"german":     {words("Jürgen Anke Matthias Friederike Tobias Katrin Lukas Ayşe Sebastian Heike Jannik Silke"), words("Brückner Hoffmann Vogel Schäfer Yıldırım Krüger Weiß Lehmann Neumann Baumgärtner")},
		"dutch":      {words("Sanne Joost Femke Daan Lotte Bram Anouk Ruben Marieke Thijs"), words("Hoekstra Vermeer Bakker Smeets Kuipers Jansen Dijkstra Mulder")},
		"nordic":     {words("Ingrid Lars Sølvi Håkon Astrid Mikkel Signe Björn Maja Torbjørn Åsa"), words("Solberg Nygård Lindqvist Østergaard Haugen Söderberg Dahl Kjeldsen Holm")},
		"finnish":    {words("Aino Eero Satu Mika Päivi Juhani Elina Tapio"), words("Virtanen Mäkelä Koskinen Heikkilä Nieminen Lehtonen")},
		"polish":     {words("Agnieszka Paweł Katarzyna Tomasz Małgorzata Grzegorz Zofia Łukasz Joanna"), words("Nowak Wójcik Mazur Zając Wróbel Sikora Gołąb")},
		"czech":      {words("Tereza Ondřej Lucie Jiří Kateřina Vojtěch Šárka"), words("Krejčí Janů Procházka Hrubý Martinů Růžička")},
		"hungarian":  {words("Réka Gábor Zsófia Bence Eszter Attila"), words("Szabó Kovács Horváth Tóth Farkas")},
		"romanian":   {words("Ioana Andrei Raluca Ștefan Mihaela Bogdan"), words("Popescu Ionescu Dumitru Stănescu Munteanu")},
		"ukrainian":  {words("Оксана|Oksana Тарас|Taras Ірина|Iryna Богдан|Bohdan Наталія|Nataliia"), words("Шевчук|Shevchuk Бондаренко|Bondarenko Коваленко|Kovalenko Мельник|Melnyk")},
		"greek":      {words("Eleni Nikos Δήμητρα|Dimitra Γιώργος|Giorgos Katerina Stavros"), words("Papadopoulos Vlachou Nikolaidis Οικονόμου|Oikonomou Georgiadis")},
		"turkish":    {words("Elif Mehmet Zeynep Emre Gülşah Burak Defne Onur"), words("Yılmaz Demirtaş Çelik Aydın Koçak Şahin")},
		"italian":    {words("Giulia Alessandro Chiara Niccolò Martina Davide Francesca Emanuele"), words("Bianchi Esposito Galli Conti D'Angelo Marchetti Ferrara")},
		"spanish":    {words("Lucía Javier Carmen Álvaro Inés Martín Valentina Iñaki Sofía Joaquín Pilar"), words("Ortega Ibáñez Muñoz Herrera Quispe Aguirre Peña Castaño Zubiri")},
		"portuguese": {words("Inês João Beatriz Thiago Mariana Gonçalo Luísa Caio"), words("Carvalho Teixeira Araújo Figueiredo Guimarães Brandão")},
		"nigerian":   {words("Chidi Folake Emeka Ngozi Tunde Aisha Ifeoma Sani"), words("Eze Balogun Nwosu Abubakar Adewale Obi")},
		"ghanaian":   {words("Kwame Abena Kofi Akosua Yaw Efua"), words("Mensah Owusu Boateng Asante Agyeman")},
		"kenyan":     {words("Wanjiru Otieno Njeri Kiprono Achieng Mwangi"), words("Kamau Odhiambo Cheruiyot Njoroge Wafula")},
		"arabic":     {words("Layla Karim Noor Hassan Rania Yousef Mariam Tariq"), words("Khoury Mansour Al-Farsi Nasser Haddadin Saleh")},
		"indian":     {words("Ananya Rohan Kavya Vikram Meera Arjun Lakshmi Imran Deepika"), words("Iyer Sharma Menon Reddy Banerjee Qureshi Deshpande Pillai")},
		"japanese":   {words("健太|Kenta 美咲|Misaki 翔太|Shota 陽子|Yoko Haruka 大輔|Daisuke"), words("渡辺|Watanabe 高橋|Takahashi 中村|Nakamura Kobayashi 斎藤|Saito")},
		"korean":     {words("Ji-woo Min-jun Seo-yeon Hyun-woo Ha-eun"), words("Kim Park Choi Jung Kang")},
		"vietnamese": {words("Linh Minh Thảo Quân Hương Dũng"), words("Trần Phạm Lê Đặng Vũ")},
	}
}

// meet makes the people of all companies, no address twice.
func meet(companies []company, r *rand.Rand) []contact {
	names := pools()
	var contacts []contact
	taken := make(map[string]bool)
	for at, c := range companies {
		pool := names[c.region]
		style := r.IntN(3)
		for range 4 + r.IntN(6) {
			first, firstLatin := scripts(pick(r, pool[0]))
			last, lastLatin := scripts(pick(r, pool[1]))
			email := address(style, firstLatin, lastLatin) + "@" + c.domain
			if taken[email] {
				continue
			}
			taken[email] = true
			contacts = append(contacts, contact{
				person:  event.Person{Email: email, Name: first + " " + last},
				company: at,
				keen:    0.26 + 0.60*r.Float64(),
				reader:  readerAtDesk(r, at),
				away:    readerOnPhone(r),
				phrase:  first,
			})
		}
	}
	return contacts
}

// scripts gives a name as written and in Latin letters.
func scripts(name string) (written, latin string) {
	written, latin, two := strings.Cut(name, "|")
	if !two {
		latin = written
	}
	return written, latin
}

// address is the part before the @, by a company's habit.
func address(style int, first, last string) string {
	first, last = plainLetters(first), plainLetters(last)
	switch style {
	case 0:
		return first + "." + last
	case 1:
		return first[:1] + last
	default:
		return first + "." + last[:1]
	}
}

// plainLetters lowers a name to a to z.
func plainLetters(name string) string {
	name = strings.NewReplacer("ø", "o", "Ø", "o", "ł", "l", "Ł", "l", "ß", "ss", "ı", "i", "đ", "d", "Đ", "d", "æ", "ae").Replace(name)
	return strings.Map(func(c rune) rune {
		c = unicode.ToLower(c)
		if c < 'a' || c > 'z' {
			return -1
		}
		return c
	}, norm.NFD.String(name))
}

// documentation is an address that belongs to nobody, of the ranges kept for
// examples: one network a company.
func documentation(company, host int) string {
	networks := []string{"192.0.2.", "198.51.100.", "203.0.113."}
	if company%7 == 6 {
		return netip.MustParseAddr(fmt.Sprintf("2001:db8:%x::%x", company, 16+host)).String()
	}
	return fmt.Sprintf("%s%d", networks[company%3], (company/3*11+host)%250+2)
}
