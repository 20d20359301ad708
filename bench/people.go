package bench

import "strings"

var (
	firstNames = strings.Fields(`alba amir ana anders aoife asha bao beatriz ben carla chen daan
dalia david diego ebba elif emma farid felix fatima george grace hana hugo ines ivan jamal jana
joao julia kai karim kofi lars laura leo lina lucia maja marco maria mei mila nadia nils noor olga
omar oscar paula pedro priya rafael rosa ruth sami sara sofia tariq theo tomas uma vera viktor wei
yara yuki zane zoe`)
	lastNames = strings.Fields(`abadi adler ahmed almeida andersen baker banerjee bauer becker berg
bianchi brown castro chan chavez costa cruz dahl diaz dubois eriksen fischer flores fournier garcia
gomez gupta haddad hansen hassan horvat hughes ibrahim ivanov jansen jensen kaya khan kim klein
kowal kumar lam larsen lee lopez mensah meyer moreau mueller nakata nguyen novak okafor olsen ortiz
park patel pereira petrov popov ramos rao reyes rossi sato schmidt silva singh smith tanaka torres
vega wagner walsh wang weber wilson yamada young zhang`)
	agents = []string{
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/",
		"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/",
		"Mozilla/5.0 (Linux; Android 15; Pixel 9 Pro Build/AP4A.250205.002) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/",
		"Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; .NET4.0C; .NET4.0E; Microsoft Outlook 16.0.17928) AppleWebKit/537.36 Chrome/",
	}
)
