// SPDX-License-Identifier: Apache-2.0
// What lists and screens do with a function, and say about it.

import { texts } from '../texts.ts';
import { getJson } from './api.ts';
import { deleteFunction, setDesiredState, type FunctionId } from './functions.ts';
import { toasts } from './toasts.svelte.ts';
import type { FunctionObject } from './types.ts';

export function idOf(object: FunctionObject): FunctionId {
  return { name: object.metadata.name, namespace: object.metadata.namespace ?? '' };
}

// Where it answers, as a browser of this machine or network writes it; undefined when it has no address.
export function urlOf(object: FunctionObject): string | undefined {
  const address = object.status?.externalInvocationUrls?.[0];
  if (address === undefined) return undefined;
  return address.includes('://') ? address : `http://${address}`;
}

export async function pause(object: FunctionObject): Promise<void> {
  const name = object.metadata.name;
  try {
    await setDesiredState(idOf(object), 'scaledToZero');
    toasts.done(texts.functions.paused(name));
  } catch (error) {
    toasts.failed(texts.functions.pausing(name), error);
  }
}

export async function resume(object: FunctionObject): Promise<void> {
  const name = object.metadata.name;
  try {
    await setDesiredState(idOf(object), 'ready');
    toasts.done(texts.functions.resumed(name));
  } catch (error) {
    toasts.failed(texts.functions.resuming(name), error);
  }
}

// True when it is gone.
export async function remove(object: FunctionObject): Promise<boolean> {
  const name = object.metadata.name;
  try {
    await deleteFunction(idOf(object));
    toasts.done(texts.functions.deleted(name));
    return true;
  } catch (error) {
    toasts.failed(texts.functions.deleting(name), error);
    return false;
  }
}

// What another dashboard, or nuctl, imports.
export async function exported(object: FunctionObject): Promise<FunctionObject> {
  const { name, namespace } = idOf(object);
  return getJson(`/api/functions/${encodeURIComponent(name)}?export=true`, {
    headers: namespace === '' ? {} : { 'X-Nuclio-Function-Namespace': namespace },
  });
}

export async function download(object: FunctionObject): Promise<void> {
  const name = object.metadata.name;
  try {
    const [it, { stringify }] = await Promise.all([exported(object), import('yaml')]);
    save(`${name}.yaml`, stringify(it, { lineWidth: 0 }), 'application/yaml');
  } catch (error) {
    toasts.failed(texts.functions.exporting(name), error);
  }
}

export function save(file: string, content: string | Uint8Array<ArrayBuffer>, type: string): void {
  const url = URL.createObjectURL(new Blob([content], { type }));
  const link = document.createElement('a');
  link.href = url;
  link.download = file;
  link.click();
  URL.revokeObjectURL(url);
}
