// SPDX-License-Identifier: Apache-2.0
// The languages that functions are written in, from the manifests that the server reads itself: a new one needs nothing
// here.

interface Manifest {
  name: string;
  description: string;
  extensions: string[];
  versions?: string[]; // of the language, oldest first
}

export interface Runtime extends Manifest {
  example: { file: string; code: string } | undefined;
}

const manifests = import.meta.glob<Manifest>('../../../runtimes/*/runtime.json', { eager: true, import: 'default' });
const examples = import.meta.glob<string>('../../../examples/*/hello.*', {
  eager: true,
  query: '?raw',
  import: 'default',
});

function exampleOf(runtime: string): Runtime['example'] {
  const found = Object.entries(examples).find(([path]) => path.includes(`/examples/${runtime}/`));
  if (!found) return undefined;
  const [path, code] = found;
  // The licence is this repository's, not that of what somebody makes of it.
  return { file: path.replace(/^.*\//, ''), code: code.replace(/^.*SPDX-License-Identifier.*\n/, '') };
}

export const runtimes: Runtime[] = Object.values(manifests).map((each) => ({
  name: each.name,
  description: each.description,
  extensions: each.extensions,
  versions: each.versions ?? [],
  example: exampleOf(each.name),
}));

export function runtimeOfFile(file: string): Runtime | undefined {
  return runtimes.find((each) => each.extensions.some((end) => file.toLowerCase().endsWith(end)));
}
