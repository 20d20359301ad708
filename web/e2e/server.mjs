import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { eventually } from './browser.mjs';

const startTimeout = 180_000;

/** Demo is the binary under test with its demo workspace, on a directory of its own. */
export class Demo {
  #binary;
  #directory;
  #options;
  #process;
  /** The sign-in link that the last start printed. */
  link = '';

  /**
   * make finds the binary and a free port; nothing runs yet. Options are the command's. Where run.mjs
   * has made a workspace of so many months, this one begins as a copy of it.
   */
  static async make(months = '2', options = []) {
    const demo = await Demo.#at(await mkdtemp(join(tmpdir(), 'tidings-e2e-')), months, options);
    const made = process.env['TIDINGS_DEMOS'];
    if (made && months !== '0') await cp(join(made, months), demo.#directory, { recursive: true });
    return demo;
  }

  /** prepare makes the workspace that others copy, in a directory that is not there yet. */
  static async prepare(directory, months) {
    const demo = await Demo.#at(directory, months, []);
    await demo.start();
    await eventually('all is indexed', async () => (await demo.waiting()) === 0);
    await demo.stop();
  }

  static async #at(directory, months, options) {
    const binary = process.env['TIDINGS_BIN'];
    if (!binary) throw new Error('TIDINGS_BIN names no binary: build one and set it');
    const demo = new Demo();
    demo.#binary = binary;
    demo.#options = ['--months', months, ...options];
    demo.#directory = directory;
    demo.port = await freePort();
    return demo;
  }

  get origin() {
    return `http://127.0.0.1:${this.port}`;
  }

  /** start returns once the server is ready and has printed its sign-in link. */
  async start() {
    const args = ['demo', '--data', this.#directory, '--listen', `127.0.0.1:${this.port}`];
    const child = spawn(this.#binary, [...args, '--rate', '0', ...this.#options]);
    this.#process = child;
    const said = [];
    const ready = new Promise((resolve, reject) => {
      let link = '';
      let listening = false;
      const check = () => {
        if (link && listening) resolve(link);
      };
      createInterface({ input: child.stdout }).on('line', (line) => {
        link ||= line.match(/https?:\/\/\S*token=\S+/)?.[0] ?? '';
        check();
      });
      createInterface({ input: child.stderr }).on('line', (line) => {
        said.push(line);
        listening ||= line.includes('listening on http');
        check();
      });
      child.once('exit', (code) => reject(new Error(`exit ${code}:\n${said.join('\n')}`)));
      setTimeout(() => reject(new Error(`not ready:\n${said.join('\n')}`)), startTimeout).unref();
    });
    this.link = await ready;
  }

  /** stop asks the server to end and returns its exit code. */
  async stop() {
    const child = this.#process;
    if (!child || child.exitCode !== null) return child?.exitCode;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    const [code] = await ended;
    return code;
  }

  async remove() {
    await this.stop();
    await rm(this.#directory, { recursive: true, force: true });
  }

  /**
   * damage breaks what is stored of the message with this subject, as a bad disk
   * would, while the server is stopped; the result mends it again.
   */
  async damage(subject) {
    const path = join(this.#directory, 'state.db');
    const log = await stat(`${path}-wal`).catch(() => ({ size: 0 }));
    if (log.size > 0) throw new Error('the state is not closed');
    const whole = await readFile(path);
    const broken = Buffer.from(whole);
    // A subject has its length before it.
    const text = Buffer.from(subject);
    const at = broken.indexOf(Buffer.concat([Buffer.of(text.length), text]));
    if (at < 0) throw new Error(`nothing is stored of ${subject}`);
    broken[at] = 0xff;
    await writeFile(path, broken);
    return () => writeFile(path, whole);
  }

  /** key makes a key of a role, as an operator does while the server runs. */
  async key(role) {
    const { stdout } = await promisify(execFile)(this.#binary, [
      ...['keys', 'create', '--data', this.#directory, '--workspace', 'demo', '--role', role],
    ]);
    return stdout.trim();
  }

  /** call asks the API with a key, and returns the answer. */
  async call(key, method, path, body) {
    const response = await fetch(this.origin + path, {
      method,
      headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
      body: body === undefined ? null : JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response.status === 204 ? undefined : response.json();
  }

  get(key, path) {
    return this.call(key, 'GET', path);
  }

  /** waiting is how many events are accepted and not indexed yet. */
  async waiting() {
    const metrics = await (await fetch(`${this.origin}/metrics`)).text();
    return Number(metrics.match(/^tidings_queue_waiting_events (\d+)$/m)[1]);
  }

  /** post sends events in, as a sender does. */
  async post(key, ...events) {
    const response = await fetch(`${this.origin}/v1/events`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
      body: JSON.stringify(events),
    });
    const body = await response.text();
    if (response.status !== 202) throw new Error(`${response.status} ${body}`);
    if (JSON.parse(body).accepted !== events.length) throw new Error(body);
  }
}

/** Installation is the binary under test as somebody begins with it: serve, on an empty directory. */
export class Installation {
  #binary = process.env['TIDINGS_BIN'];
  #directory;
  #options;
  #process;
  /** The sign-in link that the start printed, where nobody could sign in. */
  link = '';

  /** make finds a free port and an empty directory; nothing runs yet. Options are the command's. */
  static async make(options = []) {
    const made = new Installation();
    if (!made.#binary) throw new Error('TIDINGS_BIN names no binary: build one and set it');
    made.#options = options;
    made.#directory = await mkdtemp(join(tmpdir(), 'tidings-e2e-'));
    made.port = await freePort();
    return made;
  }

  get origin() {
    return `http://127.0.0.1:${this.port}`;
  }

  /** key makes a key of a role, as in docs/setup.md. */
  async key(workspace, role) {
    const { stdout } = await promisify(execFile)(this.#binary, [
      ...['keys', 'create', '--data', this.#directory, '--workspace', workspace, '--role', role],
    ]);
    return stdout.trim();
  }

  async start() {
    const args = ['serve', '--data', this.#directory, '--listen', `127.0.0.1:${this.port}`];
    const child = spawn(this.#binary, [...args, '--public-url', this.origin, ...this.#options]);
    this.#process = child;
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.link ||= line.match(/https?:\/\/\S*token=\S+/)?.[0] ?? '';
    });
    const said = [];
    await new Promise((resolve, reject) => {
      createInterface({ input: child.stderr }).on('line', (line) => {
        said.push(line);
        if (line.includes('listening on http')) resolve();
      });
      child.once('exit', (code) => reject(new Error(`exit ${code}:\n${said.join('\n')}`)));
      setTimeout(() => reject(new Error(`not ready:\n${said.join('\n')}`)), startTimeout).unref();
    });
  }

  async remove() {
    if (this.#process?.exitCode === null) {
      const ended = once(this.#process, 'exit');
      this.#process.kill('SIGTERM');
      await ended;
    }
    await rm(this.#directory, { recursive: true, force: true });
  }
}

async function freePort() {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
