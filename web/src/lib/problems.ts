// SPDX-License-Identifier: Apache-2.0
// What is wrong with code, and where: found in what compilers and interpreters say of it.

export interface Problem {
  line: number; // from 1
  column?: number; // from 1; the whole line when absent
  message: string;
  severity: 'error' | 'warning' | 'info';
}

export interface FileProblem extends Problem {
  file: string; // one of the function's
}

const MOST = 100;
// g++ and clang: "main.cc:3:5: error: …"; a Python that does not parse: "main.py:2: '(' was never closed, in: …"
const AT_PLACE = /([^\s:"'(),]+):(\d+)(?::(\d+))?: (?:(fatal error|error|warning|note): )?(\S.*)$/;
const SEVERITIES: Record<string, Problem['severity']> = { warning: 'warning', note: 'info' };
// Python: '  File "/…/main.py", line 3, in handler'
const FRAME = /^\s*File "([^"]+)", line (\d+)/;
const EXCEPTION = /^[A-Za-z_][\w.]*(?:: .*)?$/;

// The problems in a function's own `files`, each once, in the order of `said`.
export function problemsIn(said: readonly string[], files: readonly string[]): FileProblem[] {
  const found = new Map<string, FileProblem>();
  const add = (problem: FileProblem) => {
    const key = `${problem.file}:${problem.line}:${problem.column ?? ''}:${problem.message}`;
    if (found.size < MOST && !found.has(key)) found.set(key, problem);
  };
  // Lines may come one by one or several in one text.
  const lines = said.flatMap((each) => each.split('\n'));
  let frame: { file: string; line: number } | undefined; // the innermost line of ours in the traceback that is being read
  for (const line of lines) {
    if (line.includes('Traceback (most recent call last)')) frame = undefined;
    const inFrame = FRAME.exec(line);
    if (inFrame) {
      const file = ownOf(inFrame[1] ?? '', files);
      if (file !== undefined) frame = { file, line: Number(inFrame[2]) };
      continue;
    }
    if (frame !== undefined && EXCEPTION.test(line)) {
      add({ ...frame, message: line, severity: 'error' });
      frame = undefined;
      continue;
    }
    const [, path = '', at = '', column, kind = 'error', message = ''] = AT_PLACE.exec(line) ?? [];
    const file = ownOf(path, files);
    if (file === undefined) continue;
    const severity = SEVERITIES[kind] ?? 'error';
    add({ file, line: Number(at), ...(column === undefined ? {} : { column: Number(column) }), message, severity });
  }
  return [...found.values()];
}

// The one that `path` leads to from anywhere: of a.py and lib/a.py, /opt/nuclio/lib/a.py is the second.
function ownOf(path: string, files: readonly string[]): string | undefined {
  const fitting = files.filter((file) => path === file || path.endsWith(`/${file}`));
  return fitting.sort((a, b) => b.length - a.length)[0];
}
