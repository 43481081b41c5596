// SPDX-License-Identifier: Apache-2.0
// The calls about tokens and about the dashboard itself.

import { texts } from '../texts.ts';
import { call, getJson } from './api.ts';
import type { Grant, JsonObject } from './types.ts';

export interface Token {
  id: string;
  name: string;
  owner?: string;
  grants?: Grant[];
  created?: string;
  expires?: string;
  token?: string; // its text, when it has just been made
}

export async function getTokens(): Promise<Token[]> {
  return (await getJson<{ tokens: Token[] }>('/api/v2/tokens')).tokens;
}

// Without grants it may all that its owner may.
export async function createToken(asked: {
  name: string;
  days: number;
  grants: { role: string; project: string }[];
}): Promise<Token> {
  const body = {
    name: asked.name,
    expiresIn: `${asked.days}d`,
    ...(asked.grants.length > 0 ? { grants: asked.grants } : {}),
  };
  return (await call('POST', '/api/v2/tokens', { body })).json() as Promise<Token>;
}

export async function revokeToken(id: string): Promise<void> {
  await call('DELETE', `/api/v2/tokens/${encodeURIComponent(id)}`);
}

export interface Versions {
  label: string;
  implementationVersion: string;
  gitCommit: string;
  os: string;
  arch: string;
}
export async function getVersions(): Promise<Versions> {
  return (await getJson<{ dashboard: Versions }>('/api/versions')).dashboard;
}

export interface FrontendSpec {
  platformKind: string;
  namespace: string;
  externalIPAddresses: string[];
  defaultHTTPIngressHostTemplate: string;
  imageNamePrefixTemplate: string;
  // Where images of functions go, where nodes get them from, and where base images are, of all runtimes and of some; null
  // where functions are none.
  registries: { push: string; run: string; base: string; baseImages: Record<string, string> } | null;
  scaleToZero: { mode: string; inactivityWindowPresets: string[] };
  autoScaleMetrics: { customMetricsEnabled: boolean; metricPresets: unknown[] };
  validFunctionPriorityClassNames: string[];
  defaultFunctionPodResources: JsonObject;
  allowedAuthenticationModes: string[];
  disableDefaultHttpTrigger: boolean;
}
// What is to be said of registries: a label and a value each.
export function registryFacts(registries: FrontendSpec['registries']): [string, string][] {
  const t = texts.settings.platform;
  if (!registries) return [[t.registry, t.noRegistry]];
  const bases = Object.entries(registries.baseImages).map(([runtime, registry]) => `${runtime}: ${registry}`);
  bases.unshift(registries.base === '' ? t.hub : registries.base);
  return [
    [t.registry, registries.push === '' ? t.ownRegistry : registries.push],
    ...(registries.run === registries.push ? [] : [[t.runRegistry, registries.run] as [string, string]]),
    [t.baseRegistries, bases.join(', ')],
  ];
}
export async function getPlatform(): Promise<{ spec: FrontendSpec; namespaces: string[]; addresses: string[] }> {
  const [spec, { namespaces }, { externalIPAddresses }] = await Promise.all([
    getJson<FrontendSpec>('/api/frontend_spec'),
    getJson<{ namespaces: { names: string[] } }>('/api/namespaces'),
    getJson<{ externalIPAddresses: { addresses: string[] } }>('/api/external_ip_addresses'),
  ]);
  return { spec, namespaces: namespaces.names, addresses: externalIPAddresses.addresses };
}
