package cli

// storeFlags say where things are kept that are not in the data directory.
type storeFlags struct {
	State             string `help:"State in MongoDB, a replica set, instead of in the data directory: mongodb://HOST:PORT/DATABASE." placeholder:"URL" group:"Stores"`
	Index             string `help:"Events in Elasticsearch 8 instead of in the data directory: elasticsearch://[USER:PASSWORD@]HOST:PORT[/PREFIX], several hosts separated by commas, elasticsearchs:// for TLS; ?ca=FILE&shards=N&refresh=1s." placeholder:"URL" group:"Stores"`
	Stream            string `help:"Queue on NATS servers instead of in the data directory: nats://HOST:PORT, several separated by commas. They need 2.12 or newer, JetStream and sync_interval: always." placeholder:"URL" group:"Stores"`
	StreamReplicas    int    `help:"How many servers of a NATS cluster keep each stream, 1 to 5; 0 leaves streams as they are and makes new ones with 1." default:"0" placeholder:"N" group:"Stores"`
	StreamBytes       int64  `help:"How many bytes of events the queue holds before it refuses; 0 for 8 GiB, or half of the disk's room where that is less. NATS servers need twice as much." default:"0" placeholder:"BYTES" group:"Stores"`
	StreamCredentials string `help:"NATS credentials file." placeholder:"FILE" type:"existingfile" group:"Stores"`
}

// external reports whether nothing is kept in a data directory.
func (f storeFlags) external() bool { return f.Index != "" && f.State != "" && f.Stream != "" }
