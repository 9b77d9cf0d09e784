import fs from 'node:fs';
import path from 'node:path';
import { survey, type Declaration } from '../../../jobs/survey';
import type { Place } from '../../../jobs/where';
import { removeTempDirs, tempDir } from '../../support/temp';
import { specification } from './fake-engine';
import { connection as ssh } from './connection';

/*
 * How clusters are found and asked; tests/engine/jobs.test.ts asks a real one in this process.
 */

const program = { file: '', hash: '' };
jest.mock('../../../jobs/program', () => ({ ownProgram: () => program }));

const searched = process.env.PATH;
const signal = new AbortController().signal;
const declare = (name: string, place: Place): Declaration => ({
  name,
  environment: 'production',
  place,
  breakGlass: undefined,
});

/** A report of a staging cluster that answers: it is well. */
const report = JSON.stringify({
  environment: 'staging',
  evidence: { server: { state: 'running' }, problems: [] },
});

/** The program, or the ssh that would start it, is this script of Node.js. */
function programIs(script: string): void {
  const directory = tempDir();
  program.file = path.join(directory, 'holdfast.cjs');
  fs.writeFileSync(program.file, script);
  fs.writeFileSync(path.join(directory, 'ssh'), `#!${process.execPath}\n${script}`, { mode: 0o755 });
  process.env.PATH = `${directory}:${searched}`;
}

/** A home with clusters of these owners. */
function homeWith(owners: Readonly<Record<string, string>>): string {
  const home = tempDir();
  for (const [cluster, owner] of Object.entries(owners)) {
    const directory = path.join(home, 'clusters', cluster);
    fs.mkdirSync(directory, { recursive: true });
    const { settings, ...rest } = specification();
    fs.writeFileSync(
      path.join(directory, 'specification.json'),
      owner === 'unreadable' ? '{' : JSON.stringify({ ...rest, cluster, settings: { ...settings, owner } }),
    );
  }
  return home;
}

afterEach(() => {
  process.env.PATH = searched;
  jest.restoreAllMocks();
});
afterAll(removeTempDirs);

test('a name that nobody knows is refused, and the known ones are said', async () => {
  const unknown = (declared: readonly Declaration[]) =>
    survey({ home: tempDir(), names: ['nonsense'], declared, signal });
  await expect(unknown([])).rejects.toMatchObject({
    code: 'configuration',
    hint: 'None was provisioned yet.',
  });
  await expect(unknown([declare('shop', ssh)])).rejects.toMatchObject({ hint: 'There are shop.' });
});

test('a declared cluster that isn’t here yet is not provisioned', async () => {
  const [found] = await survey({
    home: tempDir(),
    names: [],
    declared: [declare('shop', { type: 'local' })],
    signal,
  });
  expect(found).toEqual({
    cluster: 'shop',
    environment: 'production',
    place: 'this machine',
    state: 'not-provisioned',
    report: null,
    problem: null,
    breakGlass: { state: 'none' },
    well: false,
  });
});

test.each([
  [0, `console.log('${report}')`, 'reported'],
  [2, 'console.error("shop is not provisioned in eu-central-1"); process.exitCode = 2;', 'not-provisioned'],
  [5, 'console.error("AWS denies it"); process.exitCode = 5;', 'unreachable'],
])('a cluster on RDS is asked by the program for AWS, which ends with %d', async (_, script, state) => {
  programIs(script);
  const declared = [declare('shop', { type: 'aws', region: 'eu-central-1' })];
  expect(await survey({ home: tempDir(), names: [], declared, signal })).toMatchObject([
    { cluster: 'shop', place: 'AWS eu-central-1', state },
  ]);
});

test('a cluster of this machine whose specification can’t be understood is said with the reason', async () => {
  jest.spyOn(process, 'getuid').mockReturnValue(1000);
  const home = homeWith({ shop: 'unreadable' });
  expect(await survey({ home, names: [], declared: [], signal })).toMatchObject([
    {
      cluster: 'shop',
      state: 'unreachable',
      problem: expect.stringMatching(/specification\.json is not JSON/) as string,
    },
  ]);
});

describe('a cluster over SSH', () => {
  const ask = async (names: readonly string[] = []) =>
    survey({
      home: tempDir(),
      names,
      declared: [declare('shop', ssh), declare('crm', ssh)],
      signal,
    });

  test('is asked there; only those that were named', async () => {
    programIs(`console.log('${report}')`);
    expect(await ask(['shop'])).toMatchObject([
      {
        cluster: 'shop',
        place: 'deploy@db1.example.com',
        environment: 'staging',
        state: 'reported',
        well: true,
      },
    ]);
  });

  test.each([
    'Error: Cannot find module /srv/holdfast/program/holdfast.cjs',
    'there is no cluster shop in /srv/holdfast',
  ])('is not provisioned where %s', async said => {
    programIs(`console.error('${said}'); process.exitCode = 2;`);
    expect(await ask(['shop'])).toMatchObject([{ state: 'not-provisioned', problem: null }]);
  });

  test('that can’t be reached is said with the reason, and hides no other', async () => {
    programIs('console.error("Connection refused"); process.exitCode = 255;');
    expect(await ask()).toMatchObject([
      {
        cluster: 'shop',
        state: 'unreachable',
        environment: 'production',
        problem: expect.stringContaining('refused') as string,
      },
      { cluster: 'crm', state: 'unreachable', well: false },
    ]);
  });

  test('isn’t unreachable when the question was given up', async () => {
    const given = AbortSignal.abort(new Error('given up'));
    await expect(
      survey({ home: tempDir(), names: [], declared: [declare('shop', ssh)], signal: given }),
    ).rejects.toThrow('given up');
  });
});

test('a cluster of this machine of which nobody knows what it shall be is said with the reason', async () => {
  for (const uid of [0, 1000]) {
    jest.spyOn(process, 'getuid').mockReturnValue(uid);
    const home = homeWith({ shop: 'unreadable' });
    expect(await survey({ home, names: [], declared: [], signal })).toMatchObject([
      { state: 'unreachable', problem: expect.stringContaining('is not JSON') as string },
    ]);
  }
});

describe('for root, clusters of this machine', () => {
  beforeEach(() => {
    jest.spyOn(process, 'getuid').mockReturnValue(0);
    programIs(`console.log('${report}')`);
  });

  test.each([
    ['of different owners', { shop: 'ada', crm: 'bob' }],
    ['of which one says nothing of its owner', { shop: 'ada', crm: 'unreadable' }],
  ])('%s are asked by a process each', async (_, owners) => {
    const found = await survey({ home: homeWith(owners), names: [], declared: [], signal });
    expect(found).toMatchObject([
      { cluster: 'crm', state: 'reported', breakGlass: null },
      { cluster: 'shop', state: 'reported', breakGlass: null },
    ]);
  });
});
