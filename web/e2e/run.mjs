// Runs the browser tests, one file more at a time than there are processors, since each
// waits for its browser and its server now and then. The demo workspaces that they begin
// with are made once, and each file copies the one it wants.
// `npm run test:e2e feed pages` runs these two files alone.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Demo } from './server.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const demos = await mkdtemp(join(tmpdir(), 'tidings-e2e-demos-'));
const asked = process.argv.slice(2).map((name) => `${name}.test.mjs`);
const files =
  asked.length > 0 ? asked : (await readdir(here)).filter((name) => name.endsWith('.test.mjs'));

try {
  await Promise.all(['1', '2'].map((months) => Demo.prepare(join(demos, months), months)));
  const child = spawn(
    process.execPath,
    [
      ...['--test', `--test-concurrency=${Math.min(availableParallelism() + 1, 4)}`],
      ...files.map((name) => join(here, name)),
    ],
    // The test of a page under load measures nothing in its short form, and disturbs nobody.
    { stdio: 'inherit', env: { ROWS: '3000', SECONDS: '6', ...process.env, TIDINGS_DEMOS: demos } },
  );
  const [code] = await once(child, 'exit');
  process.exitCode = code ?? 1;
} finally {
  await rm(demos, { recursive: true, force: true });
}
