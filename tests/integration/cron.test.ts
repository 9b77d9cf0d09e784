import { spawn, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import type { Evidence } from '../../core/evidence';
import { identityOf } from '../../engines/host/owner';
import { specify } from '../support/host-cluster';
import { run, succeed, until } from '../support/processes';
import { repositoryRoot } from '../support/pulumi';
import { removeTempDirs, tempDir } from '../support/temp';

/*
 * A real cron daemon, in a private mount namespace: it sees the file that `holdfast host schedule` writes, and none of this
 * machine's. It looks every minute instead of every five, to be waited for; nothing else of the entry is changed.
 */
jest.setTimeout(240_000);

/** Only root can have a mount namespace and a cron daemon of its own. */
const asRoot = process.getuid?.() === 0 ? test : test.skip;

const home = path.join(tempDir(0o711), 'the home');
const specification = specify({
  name: 'nightly',
  environment: 'staging',
  cluster: { backups: { schedules: { full: '* * * * *' } } },
});
const { cluster } = specification;
let cron: ChildProcess | undefined;

const program = path.join(repositoryRoot, 'bin/holdfast.mjs');
const host = (verb: string, document: object) =>
  succeed(process.execPath, [program, 'host', verb, '--json', '--home', home], {
    input: JSON.stringify(document),
  });
const evidence = async () => JSON.parse(await host('evidence', { cluster })) as Evidence;

afterAll(async () => {
  cron?.kill();
  await run(process.execPath, [program, 'host', 'remove', '--home', home], {
    input: JSON.stringify({ cluster }),
  });
  removeTempDirs();
});

/** The private places, then the schedule as `pulumi up` writes it, then the daemon in the foreground. */
const script = `
set -eu
mount -t tmpfs tmpfs /run
mkdir "$EMPTY/cron.d" "$EMPTY/crontabs"
mount --bind "$EMPTY/cron.d" /etc/cron.d
mount --bind "$EMPTY/crontabs" /var/spool/cron/crontabs
[ ! -e /etc/crontab ] || mount --bind /dev/null /etc/crontab
printf '%s' "$DOCUMENT" | "$NODE" "$PROGRAM" host schedule --json --home "$HOLDFAST_HOME"
sed --in-place 's#^[*]/5 #* #' /etc/cron.d/holdfast-*
cat /etc/cron.d/holdfast-* >&2
exec cron -f
`;

asRoot('a due backup runs unattended, by a real cron daemon, as the owner of the cluster', async () => {
  await host('apply', { specification, revision: 1 });
  expect((await evidence()).backups).toEqual([]);

  cron = spawn('unshare', ['--mount', 'sh', '-c', script], {
    env: {
      PATH: process.env.PATH,
      NODE: process.execPath,
      PROGRAM: program,
      HOLDFAST_HOME: home,
      DOCUMENT: JSON.stringify({ cluster }),
      EMPTY: tempDir(0o755),
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  cron.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));

  await until(
    'cron has taken a backup',
    async () => {
      if (typeof cron?.exitCode === 'number') throw new Error(`cron ended: ${said}`);
      return (await evidence()).backups.length > 0;
    },
    { seconds: 150 },
  );
  expect(said).toMatch(/^\* \* \* \* \* postgres .*run-due nightly/m);
  const { uid } = identityOf('postgres');
  const audit = path.join(home, 'clusters', cluster, 'audit.jsonl');
  expect(fs.statSync(audit).uid).toBe(uid);
  await until('the job has ended', () => fs.readFileSync(audit, 'utf8').includes('"what":"backup'));
  expect((await evidence()).backups[0]).toMatchObject({ kind: 'full', unusable: null });
});
