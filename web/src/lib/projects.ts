// SPDX-License-Identifier: Apache-2.0
// Projects: the calls about them, and what a list shows of them.

import { texts } from '../texts.ts';
import { call, getJson } from './api.ts';
import { projectOf } from './functions.ts';
import type { Fares, FunctionObject, JsonObject, Project } from './types.ts';

const t = texts.projects;
// An import deploys function after function before it answers.
const IMPORT_SECONDS = 300;

function within(project: Project): Record<string, string> {
  const { namespace } = project.metadata;
  return namespace ? { 'X-Nuclio-Project-Namespace': namespace } : {};
}
const pathOf = (project: Project) => `/api/projects/${encodeURIComponent(project.metadata.name)}`;

export async function createProject(name: string, description: string): Promise<void> {
  await call('POST', '/api/projects', { body: { metadata: { name }, spec: { description } } });
}
export async function putProject(project: Project): Promise<void> {
  const { metadata, spec } = project;
  await call('PUT', pathOf(project), { body: { metadata, spec }, headers: within(project) });
}
// Without its functions it is refused while it has some.
export async function deleteProject(project: Project, withFunctions: boolean): Promise<void> {
  const { name, namespace } = project.metadata;
  const strategy = withFunctions ? 'cascading' : 'restricted';
  await call('DELETE', '/api/projects', {
    body: { metadata: { name, ...(namespace ? { namespace } : {}) } },
    headers: { 'X-Nuclio-Delete-Project-Strategy': strategy },
  });
}
export function exportedProject(project: Project): Promise<JsonObject> {
  return getJson(`${pathOf(project)}?export=true`, { headers: within(project), seconds: IMPORT_SECONDS });
}

export interface ProjectExport {
  project: Project;
  functions: Record<string, FunctionObject>;
  functionEvents?: JsonObject;
  apiGateways?: JsonObject;
}
interface ImportOf {
  createdAmount: number;
  failedAmount: number;
}
export interface ImportResult {
  functionImportResult: ImportOf & { failedFunctions: { function: string; error: string }[] | null };
  functionEventImportResult: ImportOf & { failedFunctionEvents: { functionEvent: string; error: string }[] | null };
  apiGatewayImportResult: ImportOf & { failedAPIGateways: { apiGateway: string; error: string }[] | null };
}
export async function importProject(it: ProjectExport): Promise<ImportResult> {
  const answer = await call('POST', '/api/projects?import=true', { body: it, seconds: IMPORT_SECONDS });
  return (await answer.json()) as ImportResult;
}
// What could not be imported, and why: "shop: it exists already".
export function failuresOf(result: ImportResult): string[] {
  return [
    ...(result.functionImportResult.failedFunctions ?? []).map((each) => `${each.function}: ${each.error}`),
    ...(result.functionEventImportResult.failedFunctionEvents ?? []).map(
      (each) => `${each.functionEvent}: ${each.error}`,
    ),
    ...(result.apiGatewayImportResult.failedAPIGateways ?? []).map((each) => `${each.apiGateway}: ${each.error}`),
  ];
}

// The projects of an export: of one, as this screen and nuctl make it, or of all, by name. Throws what is wrong.
export function exportsIn(value: unknown): ProjectExport[] {
  const isExport = (it: unknown): it is ProjectExport =>
    typeof it === 'object' && it !== null && 'project' in it && typeof it.project === 'object' && it.project !== null;
  if (isExport(value)) return [value];
  const several = typeof value === 'object' && value !== null ? Object.values(value) : [];
  if (several.length > 0 && several.every(isExport)) return several;
  const isFunction = typeof value === 'object' && value !== null && 'spec' in value;
  throw new Error(isFunction ? t.isFunction : t.notAProject);
}

export interface ProjectRow {
  project: Project;
  name: string;
  functions: FunctionObject[];
  rate: number | undefined; // undefined where no function says
  errors: number | undefined;
}
// A project that only a function's label names is none, and is not listed: it cannot be changed.
export function projectRows(
  projects: Iterable<Project>,
  functions: Iterable<[string, FunctionObject]>,
  faresOf: (key: string) => Fares | undefined,
): ProjectRow[] {
  const rows = new Map<string, ProjectRow>();
  for (const project of projects) {
    const name = project.metadata.name;
    rows.set(name, { project, name, functions: [], rate: undefined, errors: undefined });
  }
  for (const [key, object] of functions) {
    const row = rows.get(projectOf(object));
    if (!row) continue;
    row.functions.push(object);
    const fares = faresOf(key);
    if (fares?.ratePerSecond !== undefined) row.rate = (row.rate ?? 0) + fares.ratePerSecond;
    if (fares?.errorsPerSecond !== undefined) row.errors = (row.errors ?? 0) + fares.errorsPerSecond;
  }
  return [...rows.values()].sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
}
