import { svelte } from '@sveltejs/vite-plugin-svelte';
import tailwindcss from '@tailwindcss/vite';
import { defineConfig, type Plugin } from 'vite';

/**
 * Tells public/early.js where the catalogues of the first page are, so that the one that is
 * spoken is fetched beside the application and not after it.
 */
function catalogues(): Plugin {
  return {
    name: 'catalogues',
    transformIndexHtml: {
      order: 'post',
      handler(html, { bundle }) {
        const data = Object.values(bundle ?? {}).flatMap((chunk) => {
          if (chunk.type !== 'chunk') return [];
          const [, tag] = /\/i18n\/(\w+)\.ts\?first$/.exec(chunk.facadeModuleId ?? '') ?? [];
          return tag ? [`data-${tag}="/${chunk.fileName}"`] : [];
        });
        return html.replace('src="/early.js"', ['src="/early.js"', ...data.sort()].join(' '));
      },
    },
  };
}

// The server's content security policy is default-src 'self' with no exception,
// so nothing may be inlined: neither small assets nor the preload polyfill.
export default defineConfig({
  plugins: [tailwindcss(), svelte(), catalogues()],
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
