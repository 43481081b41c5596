// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';

import { texts } from '../texts.ts';
import { registryFacts } from './settings.ts';

const t = texts.settings.platform;

it.each([
  ['functions are no images', null, [[t.registry, t.noRegistry]]],
  [
    'each function says its own',
    { push: '', run: '', base: '', baseImages: {} },
    [
      [t.registry, t.ownRegistry],
      [t.baseRegistries, t.hub],
    ],
  ],
  [
    'nodes pull from where images go',
    {
      push: 'r.local/team',
      run: 'r.local/team',
      base: 'hub.local',
      baseImages: { python: 'm.local', cpp: 'n.local/x' },
    },
    [
      [t.registry, 'r.local/team'],
      [t.baseRegistries, 'hub.local, python: m.local, cpp: n.local/x'],
    ],
  ],
  [
    'nodes pull from elsewhere',
    { push: 'r.local', run: 'localhost:5000', base: '', baseImages: {} },
    [
      [t.registry, 'r.local'],
      [t.runRegistry, 'localhost:5000'],
      [t.baseRegistries, t.hub],
    ],
  ],
])('says which registries there are when %s', (_, registries, facts) => {
  expect(registryFacts(registries)).toEqual(facts);
});
