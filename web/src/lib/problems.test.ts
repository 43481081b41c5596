// SPDX-License-Identifier: Apache-2.0
// What is parsed here was said by functions that were broken on purpose.
import { describe, expect, it } from 'vitest';

import { problemsIn } from './problems.ts';

const TRACEBACK = `Exception caught in handler - "the JSON object must be str, bytes or bytearray, not dict": Traceback (most recent call last):
  File "/home/ann/.nuclio/functions/nuclio/raise/1/code/main.py", line 10, in handler
    return inner(event.body)
           ^^^^^^^^^^^^^^^^^
  File "/home/ann/.nuclio/functions/nuclio/raise/1/code/main.py", line 5, in inner
    return json.loads(x)["b"]
           ^^^^^^^^^^^^^
  File "/usr/lib/python3.11/json/__init__.py", line 339, in loads
    raise TypeError(f'the JSON object must be str, bytes or bytearray, '
TypeError: the JSON object must be str, bytes or bytearray, not dict
`;
const IMPORT = `handler "main:handler": importing it failed, because there is no module "nothere"; if it is a package, name it in requirements.txt beside the handler
Traceback (most recent call last):
  File "/home/ann/.nuclio/functions/nuclio/import/1/code/main.py", line 2, in <module>
    import nothere
ModuleNotFoundError: No module named 'nothere'`;
const GCC = [
  'Compiling main.cc with g++ (Debian 12.2.0-14+deb12u1) 12.2.0',
  'main.cc: In function ‘nuclio::Response handler(nuclio::Context&, const nuclio::Event&)’:',
  'main.cc:5:27: error: ‘undefined_thing’ was not declared in this scope',
  '    5 |   return nuclio::Response{undefined_thing(event)}',
  '      |                           ^~~~~~~~~~~~~~~',
  '                 from main.cc:1:',
  '/usr/share/nuclio/runtimes/cpp/include/nuclio/response.h:51:3: note: candidate: ‘nuclio::Response::Response(int)’',
  'main.cc:5:50: error: expected ‘;’ before ‘}’ token',
  'main.cc:4:7: warning: unused variable ‘unused’ [-Wunused-variable]',
  'the function does not compile: main.cc:5:27: error: ‘undefined_thing’ was not declared in this scope',
];

describe('problemsIn', () => {
  it('finds the innermost line of ours in a traceback', () => {
    expect(problemsIn([TRACEBACK], ['main.py'])).toEqual([
      {
        file: 'main.py',
        line: 5,
        message: 'TypeError: the JSON object must be str, bytes or bytearray, not dict',
        severity: 'error',
      },
    ]);
  });
  it('finds a traceback that comes line by line', () => {
    expect(problemsIn(IMPORT.split('\n'), ['main.py'])).toEqual([
      { file: 'main.py', line: 2, message: "ModuleNotFoundError: No module named 'nothere'", severity: 'error' },
    ]);
  });
  it('finds what does not parse', () => {
    const said = 'main.py:2: \'(\' was never closed, in: context.logger.info("x"';
    expect(problemsIn([said, said], ['main.py'])).toEqual([
      { file: 'main.py', line: 2, message: '\'(\' was never closed, in: context.logger.info("x"', severity: 'error' },
    ]);
  });
  it('finds what a SyntaxError is at', () => {
    const said = '  File "/opt/nuclio/main.py", line 7\n    if x\n        ^\nSyntaxError: expected \':\'';
    expect(problemsIn([said], ['main.py'])).toEqual([
      { file: 'main.py', line: 7, message: "SyntaxError: expected ':'", severity: 'error' },
    ]);
  });
  it('finds what a compiler says of the file, each once', () => {
    expect(problemsIn(GCC, ['main.cc'])).toEqual([
      {
        file: 'main.cc',
        line: 5,
        column: 27,
        message: '‘undefined_thing’ was not declared in this scope',
        severity: 'error',
      },
      { file: 'main.cc', line: 5, column: 50, message: 'expected ‘;’ before ‘}’ token', severity: 'error' },
      {
        file: 'main.cc',
        line: 4,
        column: 7,
        message: 'unused variable ‘unused’ [-Wunused-variable]',
        severity: 'warning',
      },
    ]);
  });
  it('knows which of several files a path leads to', () => {
    const said = ['/opt/nuclio/lib/main.py:3: first', 'main.py:4: second', '/opt/nuclio/other/main.py:5: third'];
    const found = problemsIn(said, ['main.py', 'lib/main.py', 'b.py']);
    expect(found.map(({ file, line }) => `${file}:${line}`)).toEqual(['lib/main.py:3', 'main.py:4', 'main.py:5']);
  });
  it('leaves other files alone', () => {
    expect(problemsIn([...GCC, TRACEBACK], ['other.py'])).toEqual([]);
  });
  it('ends with a traceback that has no line of ours', () => {
    const said = 'Traceback (most recent call last):\n  File "/usr/lib/x.py", line 1, in f\nValueError: no';
    expect(problemsIn([said, 'ValueError: later'], ['main.py'])).toEqual([]);
  });
});
