import type { Served } from './served';

/** What happens, in the forms that the sentences about it take. */
const nouns = [
  ['reply', 'replies', 'jede Antwort', 'die erste Antwort', 'Antworten'],
  [
    'answer to an invitation',
    'answers to invitations',
    'jede Antwort auf eine Einladung',
    'die erste Antwort auf eine Einladung',
    'Antworten auf Einladungen',
  ],
  ['open', 'opens', 'jede Öffnung', 'die erste Öffnung', 'Öffnungen'],
  ['click', 'clicks', 'jeder Klick', 'der erste Klick', 'Klicks'],
  ['download', 'downloads', 'jeder Download', 'der erste Download', 'Downloads'],
  ['bounce', 'bounces', 'jede Unzustellbarkeit', 'die erste Unzustellbarkeit', 'Unzustellbares'],
  ['complaint', 'complaints', 'jede Beschwerde', 'die erste Beschwerde', 'Beschwerden'],
  ['unsubscribe', 'unsubscribes', 'jede Abmeldung', 'die erste Abmeldung', 'Abmeldungen'],
  [
    'event of your own',
    'events of your own',
    'jedes eigene Ereignis',
    'das erste eigene Ereignis',
    'Eigenes',
  ],
  [
    'event that a machine made',
    'events that machines made',
    'jedes automatische Ereignis',
    'das erste automatische Ereignis',
    'Automatisches',
  ],
] as const;

const weekdays = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
const wochentage = ['Mo', 'Di', 'Mi', 'Do', 'Fr', 'Sa', 'So'];
const months = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');
const monate = 'Jan. Feb. März Apr. Mai Juni Juli Aug. Sept. Okt. Nov. Dez.'.split(' ');

/** What is added to a search, where it was read otherwise than typed. */
const notes: Served = [
  [
    '"all" is left out: whether somebody did so with every mail is not searched for.',
    '„all“ bleibt außer Acht: Ob jemand das mit jeder E-Mail getan hat, wird nicht gesucht.',
  ],
  [
    '"both" is read as either of them: whether both did is not looked at.',
    '„both“ wird als „einer von beiden“ gelesen: Ob es beide getan haben, wird nicht geprüft.',
  ],
  [
    '"{}" is ahead, and searched for as words.',
    '„{}“ liegt in der Zukunft und wird als Wörter gesucht.',
  ],
  [
    '"{}" is left out: what it negates is not understood.',
    '„{}“ bleibt außer Acht: Was verneint wird, wurde nicht verstanden.',
  ],
  [
    '"{}" is left out: whether all did so is known of opens alone.',
    '„{}“ bleibt außer Acht: Ob alle das getan haben, ist nur beim Öffnen bekannt.',
  ],
  [
    '"{}" is not searched for: codes as long as that are in no index.',
    '„{}“ wird nicht gesucht: So lange Codes stehen in keinem Index.',
  ],
  ['"{}" is read as more than once.', '„{}“ wird als „mehr als einmal“ gelesen.'],
  [
    '"{}" is read as those who are named: that all others did not is not looked at.',
    '„{}“ wird als die Genannten gelesen: Dass alle anderen es nicht getan haben, wird nicht geprüft.',
  ],
  [
    '"{}" is read as {}: more is not known of a sent mail.',
    '„{}“ wird als {} gelesen: Mehr ist über eine gesendete E-Mail nicht bekannt.',
  ],
  ['"{}" is read as {}.', '„{}“ wird als {} gelesen.'],
  ['"{}" is searched for as text: {~}.', '„{}“ wird als Text gesucht: {}.'],
  [
    '"{}" is that time of one day; hours of every day are not searched for.',
    '„{}“ ist diese Zeit eines Tages; nach Stunden jedes Tages wird nicht gesucht.',
  ],
  [
    '"{}" leaves those events out: who has not done so is not known.',
    '„{}“ lässt diese Ereignisse weg: Wer das nicht getan hat, ist nicht bekannt.',
  ],
  [
    '"{}": that they did nothing else is not looked at.',
    '„{}“: Dass sie sonst nichts getan haben, wird nicht geprüft.',
  ],
  [
    '"{}": the newest come first, and all are listed.',
    '„{}“: Die neuesten stehen oben, und alle sind aufgeführt.',
  ],
  [
    'A phrase has {} words at most; the rest of it is ignored.',
    'Eine Wortfolge hat höchstens {} Wörter; der Rest bleibt außer Acht.',
  ],
  [
    'A search has {} conditions at most; the rest is ignored.',
    'Eine Suche hat höchstens {} Bedingungen; der Rest bleibt außer Acht.',
  ],
  [
    'Brackets are more than {} deep; what is inside the innermost is ignored.',
    'Die Klammern sind mehr als {}-fach geschachtelt; was in den innersten steht, bleibt außer Acht.',
  ],
  [
    'No user here is called "{}", so it is searched for as words. Mails of others are replies.',
    'Niemand hier heißt „{}“, deshalb wird es als Wörter gesucht. E-Mails anderer sind Antworten.',
  ],
  [
    'Not understood, and searched for as words: "{}".',
    'Nicht verstanden und als Wörter gesucht: „{}“.',
  ],
  [
    'Only sends have recipients in a state, so nothing can match.',
    'Nur bei gesendeten E-Mails haben Empfänger einen Stand; darauf kann nichts passen.',
  ],
  [
    'The counts exclude one another, so nothing can match.',
    'Die Anzahlen schließen einander aus; darauf kann nichts passen.',
  ],
  [
    'The search is longer than {} bytes; the rest is ignored.',
    'Die Suche ist länger als {} Bytes; der Rest bleibt außer Acht.',
  ],
  [
    'The times exclude one another, so nothing can match.',
    'Die Zeiten schließen einander aus; darauf kann nichts passen.',
  ],
  [
    '{} has no letter or digit and is not searched for.',
    '{} enthält weder Buchstaben noch Ziffern und wird nicht gesucht.',
  ],
  [
    '{} is ignored: here it would not apply to the whole search.',
    '{} bleibt außer Acht: An dieser Stelle gälte es nicht für die ganze Suche.',
  ],
  [
    '{}: is no operator here, and is searched for as text.',
    '{}: ist hier kein Operator und wird als Text gesucht.',
  ],
  [
    '{}: needs a letter or a digit to search for.',
    '{}: braucht einen Buchstaben oder eine Ziffer, nach denen gesucht wird.',
  ],
  ['{}: needs a value behind it.', '{}: braucht einen Wert dahinter.'],
];

/** Why the value of an operator is searched for as text. */
const values: Served = [
  ['that is not a domain', 'das ist keine Domain'],
  ['there is nothing to compare with', 'es gibt nichts zu vergleichen'],
  ['that is not a type of event', 'das ist keine Art von Ereignis'],
  [
    'that is neither a type of event nor a state of recipients',
    'das ist weder eine Art von Ereignis noch ein Stand von Empfängern',
  ],
  ['an age is written like >3d, with h, d or w', 'ein Alter schreibt man wie >3d, mit h, d oder w'],
  ['automated is one of hide, show, only', 'automated ist hide, show oder only'],
  ['nobody is signed in who could be meant', 'niemand ist angemeldet, der gemeint sein könnte'],
  ['among needs an address or a domain', 'among braucht eine Adresse oder eine Domain'],
  ['a number is written like 3, >3, <3 or 2..5', 'eine Zahl schreibt man wie 3, >3, <3 oder 2..5'],
  [
    'a length of time is written like <1h or >3d, with min, h, d or w',
    'eine Dauer schreibt man wie <1h oder >3d, mit min, h, d oder w',
  ],
  ['order is newest or oldest', 'order ist newest oder oldest'],
  ['{} needs a number of rows, 1 to {}', '{} braucht eine Anzahl von Zeilen, 1 bis {}'],
  [
    'a time is written like 2026-03-05, "last monday" or 3d',
    'eine Zeit schreibt man wie 2026-03-05, „letzten Montag“ oder 3d',
  ],
  [
    'a time is written like 2026-03-05/2026-03-12',
    'eine Zeit schreibt man wie 2026-03-05/2026-03-12',
  ],
  ['{} is one of {}', '{} ist eines von {}'],
];

/** What is wrong with a request, where a person made it. */
const problems: Served = [
  [
    'a device is registered in the browser that is pushed to, by who is signed in there',
    'Ein Gerät meldet an, wer in dessen Browser angemeldet ist.',
  ],
  [
    'a key (Authorization: Bearer …) or a session is needed',
    'Dafür muss man angemeldet sein oder einen Schlüssel haben.',
  ],
  [
    'a token for embedding only reads, for the pages that it names',
    'Ein Token zum Einbetten liest nur, und nur für die Seiten, die es nennt.',
  ],
  [
    'a token for embedding opens the feed of a page alone',
    'Ein Token zum Einbetten öffnet allein die Aktivität einer Seite.',
  ],
  [
    'a viewer’s searches are theirs alone; sharing one takes the role member',
    'Die Suchen eines Lesers gehören ihm allein; zum Teilen braucht es die Rolle „member“.',
  ],
  [
    'at most 6 tests a minute are sent: wait a moment',
    'Höchstens 6 Proben in der Minute werden gesendet: Warten Sie einen Moment.',
  ],
  [
    'it was disabled a moment ago: it can be enabled from {}',
    'Es wurde eben erst ausgeschaltet: Einschalten lässt es sich ab {}.',
  ],
  [
    'no mail is sent from here: that takes --smtp, --mail-from and --public-url',
    'Von hier werden keine E-Mails gesendet: Dafür braucht der Server --smtp, --mail-from und --public-url.',
  ],
  ['not found', 'Nicht gefunden.'],
  [
    'notifications are not kept on this server',
    'Auf diesem Server werden keine Benachrichtigungen aufbewahrt.',
  ],
  [
    'only admins and support may ask for others',
    'Für andere dürfen nur Administratoren und der Support fragen.',
  ],
  [
    'people of this workspace sign in by their provider',
    'In diesem Arbeitsbereich meldet man sich über den Anbieter der Firma an.',
  ],
  [
    'sign in by this provider first: who sets this must be able to come in by it',
    'Melden Sie sich zuerst über diesen Anbieter an: Wer das einstellt, muss selbst hereinkommen.',
  ],
  ['somebody else changed it at the same time', 'Jemand anderes hat es zur selben Zeit geändert.'],
  [
    'somebody else’s sessions take the role admin',
    'Für die Sitzungen anderer braucht es die Rolle „admin“.',
  ],
  [
    'something went wrong on the server; nothing is wrong with the request',
    'Auf dem Server ging etwas schief; an der Anfrage liegt es nicht.',
  ],
  [
    'the key or link is not valid or has expired',
    'Der Schlüssel oder der Link gilt nicht oder nicht mehr.',
  ],
  [
    'the key or session is not valid or has expired',
    'Der Schlüssel oder die Sitzung gilt nicht oder nicht mehr.',
  ],
  [
    'the key that sealed this secret is not here: whoever runs the server must bring secrets.key back, or enter the secret again',
    'Der Schlüssel, mit dem dieses Geheimnis versiegelt wurde, fehlt: Wer den Server betreibt, muss secrets.key zurückbringen, oder das Geheimnis wird neu eingegeben.',
  ],
  [
    'the key’s user may not: this takes the role {}',
    'Der Benutzer des Schlüssels darf das nicht: Dafür braucht es die Rolle „{}“.',
  ],
  ['the link is not valid or has expired', 'Der Link gilt nicht oder nicht mehr.'],
  ['the request cannot be understood', 'Die Anfrage ist nicht zu verstehen.'],
  ['the sample of before is being removed', 'Die Beispiele von vorhin werden gerade entfernt.'],
  [
    'the server does not know its own address, which providers send browsers to: start it with --public-url',
    'Der Server kennt seine eigene Adresse nicht, an die Anbieter Browser schicken: Er ist mit --public-url zu starten.',
  ],
  [
    'the server has no memory left for this request; try again soon',
    'Der Server hat für diese Anfrage keinen Speicher mehr; versuchen Sie es bald noch einmal.',
  ],
  [
    'the server is busy with other questions; try again soon',
    'Der Server ist mit anderen Fragen beschäftigt; versuchen Sie es bald noch einmal.',
  ],
  [
    'the server is unavailable for the moment; try again soon',
    'Der Server ist im Moment nicht erreichbar; versuchen Sie es bald noch einmal.',
  ],
  ['the workspace has events already', 'Im Arbeitsbereich gibt es schon Ereignisse.'],
  [
    'the workspace’s settings take a key with the role admin',
    'Für die Einstellungen des Arbeitsbereichs braucht es die Rolle „admin“.',
  ],
  [
    'there is no session to end: this is a key',
    'Es gibt keine Sitzung zu beenden: Das ist ein Schlüssel.',
  ],
  [
    'this browser did not ask for the link: type the six digits of the mail',
    'Dieser Browser hat den Link nicht angefordert: Geben Sie die sechs Ziffern aus der E-Mail ein.',
  ],
  ['this caller may not do that', 'Das dürfen Sie nicht.'],
  [
    'this is the last admin of the workspace; make somebody else admin first',
    'Das ist der letzte Administrator des Arbeitsbereichs; machen Sie zuerst jemand anderen dazu.',
  ],
  [
    'this key belongs to nobody, and nobody is told of anything',
    'Dieser Schlüssel gehört niemandem, und niemand wird benachrichtigt.',
  ],
  ['this key may not be used from this network', 'Dieser Schlüssel gilt in diesem Netz nicht.'],
  ['this page may not read the live feed', 'Diese Seite darf nicht live mitlesen.'],
  ['this server is not set up for that', 'Dieser Server ist dafür nicht eingerichtet.'],
  [
    'this server keeps no secrets: whoever runs it must start it with --secrets-key FILE',
    'Dieser Server bewahrt keine Geheimnisse auf: Wer ihn betreibt, muss ihn mit --secrets-key DATEI starten.',
  ],
  [
    'this takes somebody who is signed in, or a key of a user',
    'Dafür muss jemand angemeldet sein, oder es braucht den Schlüssel eines Benutzers.',
  ],
  ['this takes the role {}', 'Dafür braucht es die Rolle „{}“.'],
  ['too much at once', 'Das war zu viel auf einmal.'],
  ['you do not lead this team', 'Sie leiten dieses Team nicht.'],
  [
    'you have {} devices, which is as many as one may have: remove one in Settings first',
    'Sie haben {} Geräte, mehr sind nicht möglich: Entfernen Sie zuerst eines in den Einstellungen.',
  ],
  [
    '{}: whoever runs the server can tell whose it is',
    '{}: Wessen es ist, kann sagen, wer den Server betreibt.',
  ],
  [
    'there are {} rules already: delete one first',
    'Es gibt schon {} Regeln: Löschen Sie zuerst eine.',
  ],
  ['there are 1,000 open invitations', 'Es gibt schon 1.000 offene Einladungen.'],
];

/** What is wrong with a field of a form. */
const fields: Served = [
  ['{} is required', '{} ist nötig'],
  ['{} is empty, or has more than {} bytes', '{} ist leer oder hat mehr als {} Bytes'],
  ['{} is not valid UTF-8', '{} ist kein gültiges UTF-8'],
  ['{} is above 0 and at most 100', '{} liegt über 0 und ist höchstens 100'],
  ['{} is not an IANA time zone', '{} ist keine Zeitzone'],
  ['{} is what follows the @ of an address', '{} ist, was in einer Adresse hinter dem @ steht'],
  ['{} is needed, in 300 bytes at most', '{} ist nötig, in höchstens 300 Bytes'],
  ['{} is more than a year ahead', '{} liegt mehr als ein Jahr voraus'],
  ['{} is nobody whom you may see', '{} ist niemand, den Sie sehen dürfen'],
  ['{} is needed to send the link there', '{} ist nötig, damit der Link dorthin gesendet wird'],
  ['{} has 1,000 members already', '{} hat schon 1.000 Mitglieder'],
  ['{} is not the name of a mail server', '{} ist nicht der Name eines Mailservers'],
  ['{} is not a port such as 587', '{} ist kein Port wie 587'],
  ['{} has a time that is not like 18:30', '{} hat eine Zeit, die nicht wie 18:30 ist'],
  [
    '{} asks how often something was done, or whether: one event does not tell that. Ask for events, such as opens from acme',
    '{} fragt, wie oft oder ob etwas getan wurde: Das sagt ein einzelnes Ereignis nicht. Fragen Sie nach Ereignissen, etwa „opens from acme“',
  ],
  [
    '{} asks what recipients have done until now: one event does not tell that. Ask for events, such as opens from acme, or for a time',
    '{} fragt, was Empfänger bis jetzt getan haben: Das sagt ein einzelnes Ereignis nicht. Fragen Sie nach Ereignissen, etwa „opens from acme“, oder nach einer Zeit',
  ],
  [
    '{} gives too many points for this time: choose a longer one, or a later since',
    '{} ergibt für diese Zeit zu viele Punkte: Wählen Sie größere Schritte oder einen späteren Anfang',
  ],
];

/** Why somebody was told of an event, or was not. */
const decisions: Served = [
  ...nouns.map(
    ([, several, , , many]) =>
      [`You are told of no ${several} of {~} ({~}).`, `Nicht gemeldet: ${many} {} ({}).`] as const,
  ),
  ['A machine did this (rule {}).', 'Das war eine Maschine (Regel {}).'],
  ['Every one is told.', 'Jedes wird gemeldet.'],
  [
    'In your quiet hours: nothing leaves the house until {~}.',
    'In Ihren Ruhezeiten: Bis {} geht nichts hinaus.',
  ],
  ['It came {} hours late.', 'Es kam {} Stunden zu spät.'],
  ['It is not too much.', 'Es ist nicht zu viel.'],
  ['It is recent.', 'Es ist frisch.'],
  ['It is the first.', 'Es ist das erste.'],
  [
    'It is the {}th within {} that your rule “{}” found.',
    'Es ist das {}. innerhalb von {}, das Ihre Regel „{}“ gefunden hat.',
  ],
  ['It is told once.', 'Es wird einmal gemeldet.'],
  ['It stopped nothing then.', 'Damals hat das nichts aufgehalten.'],
  ['No channel is chosen.', 'Kein Weg ist gewählt.'],
  ['Nobody opened it within {}.', 'Niemand hat sie innerhalb von {} geöffnet.'],
  ['Nobody answered it within {}.', 'Niemand hat sie innerhalb von {} beantwortet.'],
  ['Nothing came from the source {} for {}.', 'Von der Quelle {} kam seit {} nichts.'],
  ['Nothing says that a machine did this.', 'Nichts spricht dafür, dass das eine Maschine war.'],
  ['Nothing that you muted.', 'Nichts davon haben Sie stummgeschaltet.'],
  [
    'In your quiet hours, which your VIPs pass.',
    'In Ihren Ruhezeiten, an denen Ihre VIPs vorbeikommen.',
  ],
  ['Outside of your quiet hours.', 'Außerhalb Ihrer Ruhezeiten.'],
  ['Somebody else did this.', 'Das hat jemand anderes getan.'],
  ['The source {} sends again.', 'Die Quelle {} sendet wieder.'],
  [
    'The workspace locks this kind: mutes do not count.',
    'Der Arbeitsbereich legt diese Art fest: Stummschaltungen zählen nicht.',
  ],
  ['Told {~}, {~}, {~}, {~}, {~}.', 'Gemeldet: {}, {}, {}, {}, {}.'],
  ['Told {~}, {~}, {~}, {~}.', 'Gemeldet: {}, {}, {}, {}.'],
  ['Told {~}, {~}, {~}.', 'Gemeldet: {}, {}, {}.'],
  ['Told {~}, {~}.', 'Gemeldet: {}, {}.'],
  ['Told {~}.', 'Gemeldet: {}.'],
  ['in the page', 'in der Seite'],
  ['on the desktop', 'auf dem Desktop'],
  ['by mail', 'per E-Mail'],
  ['in the chat', 'im Chat'],
  ['on your devices', 'auf Ihren Geräten'],
  ['You are told of what machines do ({~}).', 'Gemeldet wird, was Maschinen tun ({}).'],
  [
    'You are told of {~} alone, and that was another.',
    'Gemeldet wird allein {}, und das war ein anderes Mal.',
  ],
  ['You are told of {~} ({~}).', 'Gemeldet wird {} ({}).'],
  ['You did this yourself.', 'Das haben Sie selbst getan.'],
  ['You have no device that is told.', 'Sie haben kein Gerät, das benachrichtigt wird.'],
  ['You may not see this.', 'Das dürfen Sie nicht sehen.'],
  ['You may see this.', 'Das dürfen Sie sehen.'],
  ['You muted {~} for ever.', 'Sie haben {} für immer stummgeschaltet.'],
  ['You muted {~} until {~}.', 'Sie haben {} stummgeschaltet, bis {}.'],
  ['this message', 'diese Nachricht'],
  ['this person', 'diese Person'],
  ['this company', 'diese Firma'],
  ['this colleague’s messages', 'die Nachrichten dieser Person'],
  ['this kind', 'diese Art'],
  ['everything', 'alles'],
  [
    'You unsubscribed from mails of this kind, and no other channel is chosen.',
    'Sie haben E-Mails dieser Art abbestellt, und kein anderer Weg ist gewählt.',
  ],
  [
    'You were told of so much within this hour that the rest of it is in the log alone.',
    'In dieser Stunde wurde Ihnen so viel gemeldet, dass der Rest nur im Protokoll steht.',
  ],
  [
    'Your workspace was told of so much within this hour that the rest of it is in the log alone.',
    'In dieser Stunde wurde Ihrem Arbeitsbereich so viel gemeldet, dass der Rest nur im Protokoll steht.',
  ],
  ['Your rule “{}” asks for it.', 'Ihre Regel „{}“ verlangt es.'],
  ['Your rule “{}” found it.', 'Ihre Regel „{}“ hat es gefunden.'],
  [
    'Your rule “{}” tells once, and that was another.',
    'Ihre Regel „{}“ meldet einmal, und das war ein anderes Mal.',
  ],
  ['Your search finds more than {}.', 'Ihre Suche findet mehr als {}.'],
  ['Your search finds one.', 'Ihre Suche findet eines.'],
  [
    'Your search finds {} among the newest {} events that it may be about.',
    'Ihre Suche findet {} unter den neuesten {} Ereignissen, um die es gehen kann.',
  ],
  ['Your search finds {}.', 'Ihre Suche findet {}.'],
  ['It is over: {~}', 'Es ist vorbei: {}'],
  [
    '{} of {} sends of the last {} bounced, {} %: your bound is {} %.',
    '{} von {} gesendeten E-Mails der letzten {} kamen zurück, {} %: Ihre Grenze ist {} %.',
  ],
  // Whose a setting is.
  ['your settings', 'Ihre Einstellungen'],
  ['the workspace’s settings', 'Einstellungen des Arbeitsbereichs'],
  ['locked by the workspace', 'vom Arbeitsbereich festgelegt'],
  ['the preset {}', 'Voreinstellung {}'],
  ['the rule {}', 'Regel {}'],
  // Buttons that turn it round.
  ['Tell me what machines do too', 'Auch melden, was Maschinen tun'],
  ['Unmute {~}', 'Stummschaltung aufheben: {}'],
  ['your messages', 'bei Ihren Nachrichten'],
  ['your team’s messages', 'bei den Nachrichten Ihres Teams'],
  ['everyone’s messages', 'bei allen Nachrichten'],
  ...nouns.flatMap(([one, several, every, first, many]): Served => [
    [`Tell me no ${several} of {~}`, `Nicht mehr melden: ${many} {}`],
    [`Tell me every ${one} of {~}`, `Jedes Mal melden: ${many} {}`],
    [`Tell me ${several} of {~}`, `Melden: ${many} {}`],
    [`every ${one} of {~}`, `${every} {}`],
    [`the first ${one} by each recipient of {~}`, `${first} jedes Empfängers {}`],
    [`the first ${one} of each message of {~}`, `${first} jeder Nachricht {}`],
    [`the first ${one} on each link of {~}`, `${first} auf jeden Link {}`],
    [`the first ${one} by each company of {~}`, `${first} jeder Firma {}`],
  ]),
];

/** Moments, as sentences have them: Mon 2 Jan, 15:04. */
const moments: Served = [
  ...weekdays.map((day, i) => [`${day} {~}`, `${wochentage[i]} {}`] as const),
  ...months.map((month, i) => [`{} ${month}, {}`, `{}. ${monate[i]}, {}`] as const),
];

/** What the server says where people read it, in German. The first that fits is taken. */
export const served: Served = [
  ...[...notes, ...decisions, ...moments],
  ...[...problems, ...values, ...fields],
].map(
  // Go's texts have straight apostrophes.
  ([said, here]) => [said.replaceAll('’', "'"), here] as const,
);
