// SPDX-License-Identifier: Apache-2.0
// What is wrong with code, and where: found in what compilers and interpreters say of it.

export interface Problem {
  line: number; // from 1
  column?: number; // from 1; the whole line when absent
  message: string;
  severity: 'error' | 'warning' | 'info';
}

const MOST = 100;
// g++ and clang: "main.cc:3:5: error: …"; a Python that does not parse: "main.py:2: '(' was never closed, in: …"
const AT_PLACE = /([^\s:"'(),]+):(\d+)(?::(\d+))?: (?:(fatal error|error|warning|note): )?(\S.*)$/;
const SEVERITIES: Record<string, Problem['severity']> = { warning: 'warning', note: 'info' };
// Python: '  File "/…/main.py", line 3, in handler'
const FRAME = /^\s*File "([^"]+)", line (\d+)/;
const EXCEPTION = /^[A-Za-z_][\w.]*(?:: .*)?$/;

// The problems in a function's own `file`, each once, in the order of `said`.
export function problemsIn(said: readonly string[], file: string): Problem[] {
  const found = new Map<string, Problem>();
  const add = (problem: Problem) => {
    const key = `${problem.line}:${problem.column ?? ''}:${problem.message}`;
    if (found.size < MOST && !found.has(key)) found.set(key, problem);
  };
  // Lines may come one by one or several in one text.
  const lines = said.flatMap((each) => each.split('\n'));
  let frame: number | undefined; // the innermost line of ours in the traceback that is being read
  for (const line of lines) {
    if (line.includes('Traceback (most recent call last)')) frame = undefined;
    const inFrame = FRAME.exec(line);
    if (inFrame) {
      if (isOwn(inFrame[1] ?? '', file)) frame = Number(inFrame[2]);
      continue;
    }
    if (frame !== undefined && EXCEPTION.test(line)) {
      add({ line: frame, message: line, severity: 'error' });
      frame = undefined;
      continue;
    }
    const [, path = '', at = '', column, kind = 'error', message = ''] = AT_PLACE.exec(line) ?? [];
    if (path === '' || !isOwn(path, file)) continue;
    const severity = SEVERITIES[kind] ?? 'error';
    add({ line: Number(at), ...(column === undefined ? {} : { column: Number(column) }), message, severity });
  }
  return [...found.values()];
}

function isOwn(path: string, file: string): boolean {
  return path === file || path.endsWith(`/${file}`);
}
