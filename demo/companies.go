package demo

// scanner is what a company's mail passes before people see it.
type scanner int

const (
	noScanner scanner = iota
	// flagged scanners are known to the provider, which marks what they fetch.
	flagged
	// plain scanners give themselves away by their agent alone.
	plain
	// disguised scanners call themselves a browser and are merely too quick.
	disguised
)

// company is a customer, or may become one.
type company struct {
	name, domain string
	// region names the pool that its people's names come from.
	region string
	// zone is hours ahead of UTC.
	zone    int
	scanner scanner
}

func customers() []company {
	return []company{
		{"Acme Logistics", "acme.example", "english", 0, flagged},
		{"Brightwater Foods", "brightwater.example", "english", 0, noScanner},
		{"Calder & Sons", "caldersons.example", "english", 0, noScanner},
		{"Dunmore Freight", "dunmorefreight.example", "irish", 0, noScanner},
		{"Ballyvaughan Dairy", "ballyvaughan.example", "irish", 0, noScanner},
		{"Penrose Clinics", "penroseclinics.example", "english", 0, disguised},
		{"Tamar Valley Council", "tamarvalley.example", "english", 0, flagged},
		{"Ridgeway Colleges", "ridgeway.example", "english", 0, noScanner},
		{"Granite State Tools", "granitestate.example", "american", -5, noScanner},
		{"Hudson Cold Storage", "hudsoncold.example", "american", -5, plain},
		{"Lakeshore Medical", "lakeshoremed.example", "american", -6, flagged},
		{"Mesa Solar", "mesasolar.example", "american", -7, noScanner},
		{"Puget Marine Supply", "pugetmarine.example", "american", -8, noScanner},
		{"Redwood Home Care", "redwoodcare.example", "american", -8, noScanner},
		{"Bluebonnet Events", "bluebonnet.example", "american", -6, noScanner},
		{"Laurentide Paper", "laurentide.example", "french", -5, noScanner},
		{"Atelier Beaumont", "beaumont.example", "french", 1, noScanner},
		{"Garonne Transports", "garonne.example", "french", 1, noScanner},
		{"Clinique Saint-Roch", "saintroch.example", "french", 1, plain},
		{"Boulangeries Perrault", "perrault.example", "french", 1, noScanner},
		{"Nordhaus Möbel", "nordhaus.example", "german", 1, noScanner},
		{"Rheinwerk Maschinenbau", "rheinwerk.example", "german", 1, flagged},
		{"Alpina Spedition", "alpina-spedition.example", "german", 1, noScanner},
		{"Stadtwerke Lindau", "sw-lindau.example", "german", 1, disguised},
		{"Kessler Labor", "kesslerlabor.example", "german", 1, noScanner},
		{"Van Dijk Bloemen", "vandijkbloemen.example", "dutch", 1, noScanner},
		{"Maasvlakte Services", "maasvlakte.example", "dutch", 1, noScanner},
		{"Polder Energie", "polder.example", "dutch", 1, noScanner},
		{"Fjordline Ferries", "fjordline.example", "nordic", 1, noScanner},
		{"Skogstad Timber", "skogstad.example", "nordic", 1, noScanner},
		{"Kallio Design", "kallio.example", "finnish", 2, noScanner},
		{"Saimaa Logistiikka", "saimaa.example", "finnish", 2, noScanner},
		{"Öresund Pharma", "oresundpharma.example", "nordic", 1, flagged},
		{"Baltyk Meble", "baltykmeble.example", "polish", 1, noScanner},
		{"Wawel Software", "wawel.example", "polish", 1, noScanner},
		{"Moravia Glass", "moraviaglass.example", "czech", 1, noScanner},
		{"Duna Étterem Csoport", "dunagroup.example", "hungarian", 1, noScanner},
		{"Carpathia Foods", "carpathia.example", "romanian", 2, noScanner},
		{"Dnipro Agro", "dniproagro.example", "ukrainian", 2, noScanner},
		{"Aegean Shipping", "aegeanshipping.example", "greek", 2, plain},
		{"Bosphorus Textile", "bosphorus.example", "turkish", 3, noScanner},
		{"Ankara Otomotiv", "ankaraotomotiv.example", "turkish", 3, noScanner},
		{"Ferretti Ceramiche", "ferretti.example", "italian", 1, noScanner},
		{"Lago Hospitality", "lagohospitality.example", "italian", 1, noScanner},
		{"Cantabria Pesca", "cantabriapesca.example", "spanish", 1, noScanner},
		{"Sierra Hoteles", "sierrahoteles.example", "spanish", 1, noScanner},
		{"Andes Minería", "andesmineria.example", "spanish", -4, noScanner},
		{"Pampas Carnes", "pampascarnes.example", "spanish", -3, noScanner},
		{"Douro Vinhos", "dourovinhos.example", "portuguese", 0, noScanner},
		{"Bahia Cosméticos", "bahiacosmeticos.example", "portuguese", -3, noScanner},
		{"Lagos Power Systems", "lagospower.example", "nigerian", 1, noScanner},
		{"Accra Fintech Hub", "accrafintech.example", "ghanaian", 0, noScanner},
		{"Rift Valley Coffee", "riftvalley.example", "kenyan", 3, noScanner},
		{"Cedar Group", "cedargroup.example", "arabic", 2, flagged},
		{"Gulf Retail Partners", "gulfretail.example", "arabic", 4, noScanner},
		{"Deccan Pharma", "deccanpharma.example", "indian", 5, plain},
		{"Malabar Exports", "malabar.example", "indian", 5, noScanner},
		{"Sakura Robotics", "sakurarobotics.example", "japanese", 9, noScanner},
		{"Hanok Stays", "hanokstays.example", "korean", 9, noScanner},
		{"Mekong Apparel", "mekongapparel.example", "vietnamese", 7, noScanner},
		{"Harbour City Trams", "harbourcitytrams.example", "english", 10, noScanner},
	}
}
