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
  server: { proxy: { '/api': process.env['NUCLIO_DASHBOARD'] ?? 'http://127.0.0.1:8070' } },
  test: { environment: 'jsdom', include: ['src/**/*.test.ts'] },
});
