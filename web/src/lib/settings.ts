// SPDX-License-Identifier: Apache-2.0
// The calls about tokens and about the dashboard itself.

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
  scaleToZero: { mode: string; inactivityWindowPresets: string[] };
  autoScaleMetrics: { customMetricsEnabled: boolean; metricPresets: unknown[] };
  validFunctionPriorityClassNames: string[];
  defaultFunctionPodResources: JsonObject;
  allowedAuthenticationModes: string[];
  disableDefaultHttpTrigger: boolean;
}
export async function getPlatform(): Promise<{ spec: FrontendSpec; namespaces: string[]; addresses: string[] }> {
  const [spec, { namespaces }, { externalIPAddresses }] = await Promise.all([
    getJson<FrontendSpec>('/api/frontend_spec'),
    getJson<{ namespaces: { names: string[] } }>('/api/namespaces'),
    getJson<{ externalIPAddresses: { addresses: string[] } }>('/api/external_ip_addresses'),
  ]);
  return { spec, namespaces: namespaces.names, addresses: externalIPAddresses.addresses };
}
