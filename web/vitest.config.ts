import { defineConfig } from 'vitest/config';

// The tested modules are plain TypeScript. Some name icons, which are components that
// nothing draws here.
export default defineConfig({
  plugins: [
    {
      name: 'no-icons',
      load: (id) => (id.includes('@lucide/svelte/') ? 'export default null' : undefined),
    },
  ],
  test: {
    include: ['src/**/*.test.ts'],
    environment: 'node',
    server: { deps: { inline: [/@lucide\/svelte/] } },
  },
});
