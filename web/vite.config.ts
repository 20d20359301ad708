import { svelte } from '@sveltejs/vite-plugin-svelte';
import tailwindcss from '@tailwindcss/vite';
import { defineConfig } from 'vite';

// The server's content security policy is default-src 'self' with no exception,
// so nothing may be inlined: neither small assets nor the preload polyfill.
export default defineConfig({
  plugins: [tailwindcss(), svelte()],
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
    // What the first page needs is one file, whichever pages share a part of it.
    rolldownOptions: {
      output: { codeSplitting: { groups: [{ name: 'app', tags: ['$initial'] }] } },
    },
  },
  server: {
    host: '127.0.0.1',
    proxy: {
      '/v1': { target: process.env['TIDINGS_URL'] ?? 'http://127.0.0.1:8080', ws: true },
    },
  },
});
