// SPDX-License-Identifier: Apache-2.0
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  plugins: [svelte()],
  build: {
    target: 'es2023',
    // No data: URLs, which the page's Content-Security-Policy does not allow.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 250,
    // The editor's core, for it would be the one piece that is larger.
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [{ name: 'editor-core', test: /node_modules\/(@codemirror\/(view|state)|style-mod)\// }],
        },
      },
    },
  },
  resolve: { conditions: ['browser'] },
  // `npm run dev` beside a dashboard: NUCLIO_DASHBOARD=http://127.0.0.1:8070 unless it says another.
  server: {
    // The dashboard refuses a change whose Origin is not its own host, so it is to see the host that the browser asked.
    proxy: { '/api': { target: process.env['NUCLIO_DASHBOARD'] ?? 'http://127.0.0.1:8070', changeOrigin: false } },
    // Runtimes, examples and the schema of functions stand outside of web/.
    fs: { allow: ['..'] },
  },
  test: { environment: 'jsdom', include: ['src/**/*.test.ts'] },
});
