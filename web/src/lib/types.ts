// SPDX-License-Identifier: Apache-2.0
// What the REST API says, as docs/rest-api.md tells and /api/openapi.json describes it.

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

export interface Metadata {
  name: string;
  namespace?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  resourceVersion?: string;
}

// A list has of a function's spec what a list shows; only GET of the function itself has it all.
export interface Trigger {
  kind: string;
  name?: string;
  disabled?: boolean;
  numWorkers?: number;
  url?: string;
  attributes?: JsonObject;
  [key: string]: Json | undefined;
}
// What belongs to functionSourceCode: base64 by path.
export type Files = Record<string, string>;
export interface Build {
  functionSourceCode?: string;
  files?: Files;
  path?: string;
  codeEntryType?: string;
  [key: string]: Json | undefined;
}
export interface Spec {
  description?: string;
  runtime?: string;
  handler?: string;
  disable?: boolean;
  replicas?: number;
  minReplicas?: number;
  maxReplicas?: number;
  triggers?: Record<string, Trigger>;
  build?: Build;
  env?: { name: string; value?: string; valueFrom?: Json }[];
  [key: string]:
    Json | undefined | Record<string, Trigger> | Build | { name: string; value?: string; valueFrom?: Json }[];
}
export interface LogLine {
  level?: string;
  message?: string;
  time?: number; // milliseconds since 1970
  name?: string;
  [key: string]: Json | undefined;
}
export interface Status {
  state?: string;
  message?: string;
  logs?: LogLine[];
  replicas?: number;
  httpPort?: number;
  internalInvocationUrls?: string[];
  externalInvocationUrls?: string[];
  [key: string]: Json | undefined | LogLine[];
}
export interface FunctionObject {
  metadata: Metadata;
  spec: Spec;
  status?: Status;
}

export interface Project {
  metadata: Metadata;
  spec: { description?: string; [key: string]: Json | undefined };
  status?: JsonObject;
}

export interface FunctionEvent {
  metadata: Metadata;
  spec: { displayName?: string; triggerName?: string; triggerKind?: string; body?: string; attributes?: JsonObject };
}

// How a function fares now; `known` is false when no replica answered.
export interface Fares {
  known?: boolean;
  ratePerSecond?: number;
  errorsPerSecond?: number;
  p50Seconds?: number | null;
  p99Seconds?: number | null;
  inFlight?: number;
  workers?: number;
  replicas?: number;
}

export type Role = 'viewer' | 'developer' | 'admin';
export interface Grant {
  role: Role;
  project: string;
  namespace: string;
}
export interface LoginKinds {
  required: boolean;
  basic: boolean;
  tokens: boolean;
  oidc: boolean;
  kubernetes: boolean;
}
export interface Session {
  loggedIn: boolean;
  name?: string;
  groups?: string[];
  credential?: string;
  grants?: Grant[];
  scope?: Grant[];
  expires?: string;
  login: LoginKinds;
}

export interface Revision {
  number: number;
  deployed?: string;
  deployedBy?: string;
  state: 'deploying' | 'serving' | 'superseded' | 'failed';
  serving: boolean;
}
