import fs from 'node:fs';
import path from 'node:path';
import { inspect } from 'node:util';
import { inspectCluster, readEvidence, snapshotCluster, verdictOn } from '../../../jobs/host-calls';
import { parseStack } from '../../../core/settings/parse';
import { specificationsOf } from '../../../components/read-stack';
import { removeTempDirs, tempDir } from '../../support/temp';
import { soundEvidence } from './fake-engine';

const searched = process.env.PATH;

/** Puts an `ssh` first on the PATH on whose other side these programs are; each prints its path. */
function machineWith(programs: readonly string[]): void {
  const directory = tempDir();
  const cases = programs.map(program => `*" ${program} "*) echo '{"from":"${program}"}' ;;`).join('\n');
  fs.writeFileSync(
    path.join(directory, 'ssh'),
    `#!/bin/sh
for word; do command="$word"; done
case "$command" in
${cases}
*) echo "  code: 'MODULE_NOT_FOUND'," >&2; exit 1 ;;
esac
`,
    { mode: 0o755 },
  );
  process.env.PATH = `${directory}:${searched}`;
}

afterEach(() => {
  process.env.PATH = searched;
});
afterAll(removeTempDirs);

const [specification] = specificationsOf(
  'holdfast/prod',
  parseStack({
    environment: 'production',
    clusters: {
      shop: {
        connection: {
          type: 'ssh',
          host: 'db.example.com',
          user: 'deploy',
          privateKeyPath: '/k',
          hostKey: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGRvZXNub3RleGlzdGRvZXNub3RleGlzdGRvZXNub3Q1',
          home: '/srv/holdfast',
        },
      },
    },
  }),
);
const installed = '/srv/holdfast/program/holdfast.cjs';
const uploaded = '.holdfast/holdfast.cjs';
const call = { home: '/nowhere' };
const snapshot = (dryRun: boolean) =>
  snapshotCluster(
    { cluster: 'shop', change: 'c', dryRun, breakGlass: { state: 'none' }, specification: specification! },
    call,
  );

describe('a machine over SSH', () => {
  test('is asked by the installed program', async () => {
    machineWith([installed, uploaded]);
    expect(await readEvidence(specification!, call)).toEqual({ from: installed });
  });

  test('whose installed program is gone is asked by the uploaded one: it may hold a cluster all the same', async () => {
    machineWith([uploaded]);
    expect(await readEvidence(specification!, call)).toEqual({ from: uploaded });
    expect(await inspectCluster(specification!, call)).toEqual({ from: uploaded });
    expect(await snapshot(true)).toEqual({ from: uploaded });
    expect(await snapshot(false)).toEqual({ from: uploaded });
  });

  test('that prints something else than JSON is not quoted: it may be a password', async () => {
    machineWith([]);
    const [directory = ''] = (process.env.PATH ?? '').split(':');
    fs.writeFileSync(path.join(directory, 'ssh'), '#!/bin/sh\necho "x hunter2"\n');
    const error: unknown = await inspectCluster(specification!, call).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ message: 'holdfast host inspect printed something else than JSON' });
    expect(inspect(error, { depth: 9 })).not.toContain('hunter2');
  });

  test('has the verdict of its evidence, none where nothing is, and is unknown where it can’t be told', async () => {
    machineWith([]);
    expect(await verdictOn(specification!, call)).toBe('missing');
    const [directory = ''] = (process.env.PATH ?? '').split(':');
    const says = (text: string) =>
      fs.writeFileSync(path.join(directory, 'ssh'), `#!/bin/sh\ncat <<'END'\n${text}\nEND\n`);
    says(JSON.stringify(soundEvidence()));
    expect(await verdictOn(specification!, call)).toBe('fresh');
    says('not evidence');
    expect(await verdictOn(specification!, call)).toBe('unknown');
  });

  test('that hangs and is given up is not waited for', async () => {
    machineWith([]);
    const [directory = ''] = (process.env.PATH ?? '').split(':');
    fs.writeFileSync(path.join(directory, 'ssh'), '#!/bin/sh\nexec sleep 600\n');
    const abort = new AbortController();
    const asked = readEvidence(specification!, { ...call, signal: abort.signal, killAfterSeconds: 0.1 });
    abort.abort(new Error('it took too long'));
    await expect(asked).rejects.toMatchObject({ code: 'engine-failed' });
  });

  test('without any program has nothing to tell, and no snapshot', async () => {
    machineWith([]);
    expect(await readEvidence(specification!, call)).toBeNull();
    expect(await inspectCluster(specification!, call)).toMatchObject({ provisioned: false, revision: 0 });
    expect(await snapshot(true)).toMatchObject({
      message: expect.stringContaining('never installed') as string,
    });
    await expect(snapshot(false)).rejects.toMatchObject({ code: 'engine-failed' });
  });
});
