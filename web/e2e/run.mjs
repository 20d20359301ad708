// Runs the browser tests, as many files at a time as there are processors. The demo
// workspaces that they begin with are made once, and each file copies the one it wants.
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
const all = (await readdir(here)).filter((name) => name.endsWith('.test.mjs'));
// What it measures would be disturbed by others: it comes behind them.
const load = 'load.test.mjs';
const chosen = asked.length > 0 ? asked : all;
const files = chosen.filter((name) => name !== load);

/** test runs files, with settings that the environment may overrule, and resolves with its exit code. */
async function test(files, settings = {}, ...flags) {
  const child = spawn(
    process.execPath,
    ['--test', ...flags, ...files.map((name) => join(here, name))],
    { stdio: 'inherit', env: { ...settings, ...process.env, TIDINGS_DEMOS: demos } },
  );
  const [code] = await once(child, 'exit');
  return code ?? 1;
}

try {
  await Promise.all(['1', '2'].map((months) => Demo.prepare(join(demos, months), months)));
  const concurrency = Math.min(availableParallelism(), 4);
  let failed = 0;
  if (files.length > 0) failed = await test(files, {}, `--test-concurrency=${concurrency}`);
  if (chosen.includes(load)) failed ||= await test([load], { ROWS: '3000', SECONDS: '6' });
  process.exitCode = failed;
} finally {
  await rm(demos, { recursive: true, force: true });
}
