// SPDX-License-Identifier: Apache-2.0
// `node embed.mjs FOLDER OUT.cc`: the built web app as a table of C++, each file compressed. src/dashboard/web_app.h says
// what becomes of it.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { gzipSync } from 'node:zlib';

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
};
const BYTES_A_LINE = 32;

function literal(bytes) {
  const lines = [];
  for (let at = 0; at < bytes.length; at += BYTES_A_LINE) {
    const octal = [...bytes.subarray(at, at + BYTES_A_LINE)].map((each) => '\\' + each.toString(8).padStart(3, '0'));
    lines.push(`      "${octal.join('')}"`);
  }
  return lines.join('\n');
}

const [folder, out] = process.argv.slice(2);
const paths = readdirSync(folder, { recursive: true, withFileTypes: true })
  .filter((each) => each.isFile())
  .map((each) => join(each.parentPath, each.name).slice(folder.length + 1))
  .sort();
const entries = paths.map((path) => {
  const type = TYPES[extname(path)];
  if (type === undefined) throw new Error(`embed.mjs knows no media type of ${path}`);
  const bytes = readFileSync(join(folder, path));
  const gzip = gzipSync(bytes, { level: 9 });
  const etag = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
  return `    {"/${path}", "${type}", "\\"${etag}\\"", ${bytes.length}u,\n     {\n${literal(gzip)},\n      ${gzip.length}u}},`;
});
writeFileSync(
  out,
  `// Made by web/embed.mjs.
#include "dashboard/web_app.h"

namespace nuclio::dashboard {
namespace {
constexpr WebFile kFiles[] = {
${entries.join('\n')}
};
}  // namespace
std::span<const WebFile> web_files() { return kFiles; }
}  // namespace nuclio::dashboard
`,
);
