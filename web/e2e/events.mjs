/** Whole seconds, that long ago. An open within seconds of its send would be a machine's. */
const ago = (seconds) => new Date(Date.now() - seconds * 1_000).toISOString().replace(/\.\d+/, '');

/** Made-up mail of one test run, whose ids no other run has. */
export class Mail {
  #run;

  constructor(run) {
    this.#run = run;
  }

  message(subject) {
    return `${this.#run}/${subject}`;
  }

  send(subject, ...people) {
    return {
      id: `${this.#run}-${subject}`,
      type: 'send',
      time: ago(120),
      message: this.message(subject),
      subject,
      recipients: people.map((name) => ({ email: `${name.toLowerCase()}@acme.example`, name })),
    };
  }

  open(subject, name, more = {}) {
    return {
      id: `${this.#run}-${subject}-${name}`,
      type: 'open',
      time: ago(1),
      message: this.message(subject),
      recipient: { email: `${name.toLowerCase()}@acme.example`, name },
      client: {
        ip: '203.0.113.7',
        user_agent: 'Mozilla/5.0 (X11; Linux x86_64) Thunderbird/128.0',
      },
      ...more,
    };
  }
}
