import { defineConfig } from 'vitest/config';

// The tested modules are plain TypeScript; no plugin is needed.
export default defineConfig({
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
});
