// SPDX-License-Identifier: Apache-2.0
// From templates, files and texts to the function that is to be created.

import { texts } from '../texts.ts';
import { decodeCode, encodeCode, PROJECT_LABEL } from './functions.ts';
import { runtimeOfFile, runtimes, type Runtime } from './runtimes.ts';
import type { FunctionObject, Json, JsonObject, Metadata } from './types.ts';

const t = texts.create;

// As the server checks it: a DNS label. "" when the name is fine.
export function nameProblem(name: string, taken: (name: string) => boolean = () => false): string {
  if (name === '') return t.nameMissing;
  if (name.length > 63) return t.nameLong(name.length);
  if (!/^[a-z0-9-]*$/.test(name)) return t.nameLetters;
  if (!/^[a-z0-9].*[a-z0-9]$|^[a-z0-9]$/.test(name)) return t.nameEnds;
  return taken(name) ? t.nameTaken(name) : '';
}

// The nearest name that is free: "Hello World.py" gives hello-world, or hello-world-2.
export function freeName(wanted: string, taken: (name: string) => boolean): string {
  const base =
    wanted
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .slice(0, 58)
      .replace(/^-+|-+$/g, '') || 'function';
  let name = base;
  for (let n = 2; taken(name); n++) name = `${base}-${n}`;
  return name;
}

export interface TemplateValue {
  displayName?: string;
  kind?: string;
  description?: string;
  required?: boolean;
  order?: number;
  attributes?: { defaultValue?: Json; password?: boolean; minValue?: number; maxValue?: number; choices?: string[] };
}
export interface Template {
  metadata: { name: string };
  template: string;
  values?: Record<string, TemplateValue> | null;
}

// What a list shows of a template. Its text is YAML only once its open values are filled in, so it is searched.
export function aboutTemplate(template: Template): { description: string; runtime: string; code: string } {
  const of = (field: string) =>
    new RegExp(`^ +${field}: *(.+?) *$`, 'm').exec(template.template)?.[1]?.replace(/^(['"])(.*)\1$/, '$2') ?? '';
  let code = '';
  try {
    code = decodeCode(of('functionSourceCode'));
  } catch {
    // Its code is elsewhere, or still open.
  }
  return { description: of('description'), runtime: of('runtime'), code };
}

export function valuesOf(template: Template): [string, TemplateValue][] {
  return Object.entries(template.values ?? {}).sort(([, a], [, b]) => (a.order ?? 0) - (b.order ?? 0));
}

// The smallest function of a language.
export function emptyFunction(runtime: Runtime): FunctionObject {
  const { file = '', code = '' } = runtime.example ?? {};
  return {
    metadata: { name: '' },
    spec: {
      runtime: runtime.name,
      handler: `${moduleOf(file)}:handler`,
      build: { functionSourceCode: encodeCode(code) },
    },
  };
}
function moduleOf(file: string): string {
  return file.replace(/\.[^.]*$/, '');
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

// A function out of what YAML or JSON says; throws what is wrong with it.
export function functionFrom(value: unknown): FunctionObject {
  if (!isObject(value)) throw new Error(t.notAFunction);
  if ('project' in value && 'functions' in value) throw new Error(t.isProject);
  const spec = value['spec'];
  if (!isObject(spec)) {
    const several = Object.values(value).filter((each) => isObject(each) && isObject(each['spec'])).length;
    throw new Error(several > 0 ? t.severalFunctions(several) : t.notAFunction);
  }
  const {
    name = '',
    namespace,
    labels,
    annotations,
  } = (isObject(value['metadata']) ? value['metadata'] : {}) as Partial<Metadata>;
  // An export is made so that its import neither builds nor deploys; who creates it here wants it to run.
  const kept = Object.fromEntries(
    Object.entries(annotations ?? {}).filter(([key]) => !/^skip-(build|deploy)$/.test(key)),
  );
  const metadata: Metadata = {
    name,
    ...(namespace ? { namespace } : {}),
    ...(labels ? { labels } : {}),
    ...(Object.keys(kept).length > 0 ? { annotations: kept } : {}),
  };
  return { metadata, spec: spec as FunctionObject['spec'] };
}

export interface GivenFile {
  path: string;
  text: string;
}
export interface FromFiles {
  object: FunctionObject | undefined;
  problem: string;
  leftOut: string[];
}
export function isConfig(path: string): boolean {
  return /(^|\/)function\.ya?ml$/.test(path);
}
// What a folder has beside its code, and a function runs without.
const BESIDE =
  /(^|\/)(\.[^/]+|__pycache__|node_modules|README[^/]*|LICENSE[^/]*)(\/|$)|\.(md|pyc)$|(^|\/)(test_[^/]*|[^/]*_test)\.[a-z]+$/i;
const ARCHIVE = /\.(zip|tar|tgz|tar\.gz|jar)$/i;

// One source file, and maybe the function.yaml beside it: the API takes no more than one file with the function itself.
export function functionFromFiles(files: GivenFile[], parse: (yaml: string) => unknown): FromFiles {
  const leftOut = files.filter((each) => BESIDE.test(each.path)).map((each) => each.path);
  const given = files.filter((each) => !BESIDE.test(each.path));
  const refused = (problem: string) => ({ object: undefined, problem, leftOut });
  const configs = given.filter((each) => isConfig(each.path));
  const others = given.filter((each) => !isConfig(each.path));
  const archive = others.find((each) => ARCHIVE.test(each.path));
  if (archive) return refused(t.archive(archive.path));
  if (configs.length > 1) return refused(t.severalConfigs);
  if (others.length > 1) return refused(t.severalFiles(others.map((each) => each.path)));
  let object: FunctionObject = { metadata: { name: '' }, spec: {} };
  try {
    if (configs[0]) object = functionFrom(parse(configs[0].text));
  } catch (error) {
    return refused(`${configs[0]?.path}: ${error instanceof Error ? error.message : String(error)}`);
  }
  const source = others[0];
  if (!source) return configs[0] ? { object, problem: '', leftOut } : refused(t.noFiles);
  const runtime = runtimeOfFile(source.path);
  if (!runtime && !object.spec.runtime)
    return refused(t.unknownLanguage(source.path, runtimes.flatMap((each) => each.extensions).join(', ')));
  const file = source.path.replace(/^.*\//, '');
  object = structuredClone(object);
  if (object.metadata.name === '') object.metadata.name = moduleOf(file);
  object.spec.runtime ??= runtime?.name ?? '';
  object.spec.handler ??= `${moduleOf(file)}:handler`;
  const build = object.spec.build ?? {};
  delete build.path;
  object.spec.build = { ...build, functionSourceCode: encodeCode(source.text) };
  return { object, problem: '', leftOut };
}

// Ready to be sent: the name and the project are those that were chosen.
export function named(object: FunctionObject, name: string, project: string): FunctionObject {
  const labels = { ...object.metadata.labels, [PROJECT_LABEL]: project };
  return { metadata: { ...object.metadata, name, labels }, spec: object.spec };
}
