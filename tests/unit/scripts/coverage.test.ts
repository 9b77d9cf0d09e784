import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const script = pathToFileURL(path.resolve(__dirname, '../../../scripts/coverage.mjs')).href;

/** What a function of the script answers (it is a module that jest can't load). */
function call(name: string, ...args: unknown[]): unknown {
  const program = `const { ${name} } = await import(${JSON.stringify(script)});
    process.stdout.write(JSON.stringify(${name}(...${JSON.stringify(args)})));`;
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
  });
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  return JSON.parse(stdout);
}

const at = (line: number) => ({ start: { line, column: 0 }, end: { line, column: 9 } });

describe('the coverage that is demanded', () => {
  let directory: string;
  beforeEach(
    () => (directory = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-coverage-')))),
  );
  afterEach(() => fs.rmSync(directory, { recursive: true, force: true }));

  function source(checkout: string, name: string, text: string): void {
    const file = path.join(checkout, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, text);
  }

  /** A run of jest in which the statements and the branches of core/a.ts ran so often. */
  function run(name: string, statements: number[], branches: number[], file = 'core/a.ts') {
    const checkout = path.join(directory, name);
    source(checkout, 'core/a.ts', 'export const a = 1;');
    fs.mkdirSync(path.join(checkout, 'coverage'), { recursive: true });
    const counts = {
      path: path.join(checkout, file),
      statementMap: Object.fromEntries(statements.map((_, index) => [index, at(index + 1)])),
      s: Object.fromEntries(statements.entries()),
      fnMap: {},
      f: {},
      branchMap: { 0: { type: 'if', loc: at(2), line: 2, locations: branches.map(() => at(2)) } },
      b: { 0: branches },
    };
    fs.writeFileSync(
      path.join(checkout, 'coverage/coverage-final.json'),
      JSON.stringify({ [counts.path]: counts }),
    );
    return { checkout, directory: checkout };
  }

  test('is there when every line and branch ran, in whichever of the runs and checkouts', () => {
    expect(call('uncovered', ['unit'], [run('a', [1, 1], [1, 1])])).toEqual([]);
    expect(call('uncovered', ['unit'], [run('a', [1, 0], [1, 0]), run('b', [0, 1], [0, 1])])).toEqual([]);
  });

  test('is missing for a line or a branch, which are named', () =>
    expect(call('uncovered', ['unit'], [run('a', [1, 0, 0], [1, 0])])).toEqual([
      'core/a.ts: not covered: lines 2, 3; branches in lines 2',
    ]));

  test('is missing when nothing was counted', () => {
    expect(call('uncovered', ['unit'], [])).toEqual(['core/ was not run at all']);
    expect(call('uncovered', ['unit'], [run('a', [1], [1], 'cli/a.ts')])).toEqual([
      'core/ was not run at all',
    ]);
    expect(call('uncovered', ['unit'], [{ checkout: directory, directory }])).toEqual([
      'core/ was not run at all',
    ]);
  });

  test('is missing for a file that no test loads, unless it has nothing to run', () => {
    const ran = run('a', [1, 1], [1, 1]);
    source(ran.checkout, 'core/below/forgotten.ts', 'export const b = 1;');
    source(
      ran.checkout,
      'core/below/types.ts',
      '/** T. */\nimport type { A } from "../a";\nexport type T = A;',
    );
    source(ran.checkout, 'core/notes.md', 'x');
    expect(call('uncovered', ['unit'], [ran])).toEqual(['core/below/forgotten.ts was not run at all']);
  });

  test('is demanded only when the suites that it belongs to run', () => {
    expect(call('uncovered', ['toolchain'], [])).toEqual([]);
    expect(call('coverageArguments', ['toolchain'], '/x')).toEqual([]);
    expect(call('coverageArguments', ['unit', 'toolchain'], '/x')).toContain(
      '--collectCoverageFrom=core/**/*.ts',
    );
  });
});
