import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import type { Evidence } from '../../core/evidence';
import { run, succeed, until, type Ran } from '../support/processes';
import { repositoryRoot } from '../support/pulumi';
import { removeTempDirs } from '../support/temp';
import { Place } from './stack-support';

/*
 * An established production cluster, changed through the real engine with the real policy pack and the real snapshot hook: what
 * goes before a change, and what keeps one from being made. One cluster, in the order of its life.
 */
jest.setTimeout(240_000);

interface Declared {
  readonly workMem?: string;
  readonly readOnlyRoles?: readonly string[];
  readonly backups?: Readonly<Record<string, unknown>>;
  readonly breakGlass?: Readonly<Record<string, unknown>>;
}

const cluster = 'prod';
const readOnlyRoles = ['shop_report'];
const always = { snapshot: 'always' };
const place = new Place();
const clusterFile = (name: string) => path.join(place.clusterDirectory(cluster), name);
const repository = path.join(place.home, 'repositories', cluster);
/** Where WAL of the first timeline goes. */
const walDirectory = path.join(repository, 'archive', cluster, '15-1', '0000000100000000');

function declare({ workMem = '4MB', readOnlyRoles = [], backups = {}, breakGlass }: Declared): string[] {
  return place.stackFile('prod', {
    environment: 'production',
    clusters: {
      [cluster]: {
        source: { mode: 'managed', settings: { work_mem: workMem } },
        databases: { shop: { readOnlyRoles } },
        backups,
      },
    },
    ...(breakGlass === undefined ? {} : { breakGlass }),
  });
}

const grant = (issuedMinutes: number, expiresMinutes: number) => ({
  reason: 'the repository host is lost, ticket OPS-99',
  approver: 'ada@example.com',
  issued: new Date(Date.now() + issuedMinutes * 60_000).toISOString(),
  expires: new Date(Date.now() + expiresMinutes * 60_000).toISOString(),
});

/** Runs `use` while Pulumi is not told of the policy pack: only the hook stands before a change. */
async function withoutPack<T>(use: () => Promise<T>): Promise<T> {
  const { env } = place.workspace;
  const pack = env.PULUMI_OPTION_POLICY_PACK;
  delete env.PULUMI_OPTION_POLICY_PACK;
  try {
    return await use();
  } finally {
    env.PULUMI_OPTION_POLICY_PACK = pack;
  }
}

/** Runs `use` while the repository is not where it was. */
async function withoutRepository<T>(use: () => Promise<T>): Promise<T> {
  fs.renameSync(repository, `${repository}-away`);
  try {
    return await use();
  } finally {
    fs.rmSync(repository, { recursive: true, force: true });
    fs.renameSync(`${repository}-away`, repository);
  }
}

function holdfast(...args: string[]): Promise<Ran> {
  return run(
    process.execPath,
    [path.join(repositoryRoot, 'bin/holdfast.mjs'), '--home', place.home, ...args],
    {
      cwd: place.home,
    },
  );
}

function succeeded(ran: Ran): Ran {
  if (ran.code !== 0) throw new Error(`it ended with ${ran.code}:\n${ran.stdout}\n${ran.stderr}`);
  return ran;
}

interface Deployment {
  readonly resources: readonly { readonly urn: string; readonly type: string; readonly modified?: string }[];
  readonly pending_operations?: readonly unknown[];
}

/** What a change would have altered. */
async function state() {
  const exported = await place.workspace.succeed(['stack', 'export', '--stack', 'prod']);
  const { deployment } = JSON.parse(exported) as { deployment: Deployment };
  return {
    // The root resource has no more than the outputs of a run, which one that fails doesn't have. Secrets are encrypted
    // anew each time: when a resource was altered last tells all.
    resources: deployment.resources
      .filter(({ type }) => type !== 'pulumi:pulumi:Stack')
      .map(({ urn, modified }) => `${urn} ${modified}`)
      .sort(),
    pending: deployment.pending_operations ?? [],
    specification: fs.readFileSync(clusterFile('specification.json'), 'utf8'),
    workMem: await workMem(),
  };
}

const workMem = () => place.asSuperuser(cluster, 'postgres', 'show work_mem');

async function evidence(): Promise<Evidence> {
  return JSON.parse(succeeded(await place.host('evidence', { cluster })).stdout) as Evidence;
}

interface Point {
  readonly name: string;
  readonly at: string;
  readonly position: string;
}

interface AuditLine {
  readonly what: string;
  readonly outcome: string;
  readonly detail?: string;
}
const snapshot = 'snapshot before a change';

function jsonLines<T>(name: string): T[] {
  const file = clusterFile(name);
  if (!fs.existsSync(file)) return [];
  return fs
    .readFileSync(file, 'utf8')
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as T);
}

/** What the backup sets say of break-glass, oldest first. */
async function grantsOnBackups(): Promise<string[]> {
  const { uid, gid } = fs.statSync(clusterFile('data'));
  const args = [`--config=${clusterFile('pgbackrest.conf')}`, `--stanza=${cluster}`, '--output=json', 'info'];
  const [stanza] = JSON.parse(await succeed('pgbackrest', args, { uid, gid, cwd: '/' })) as {
    backup: { annotation?: Record<string, string> }[];
  }[];
  return stanza!.backup.flatMap(({ annotation }) => annotation?.['holdfast-break-glass'] ?? []);
}

const backUp = async () => succeeded(await holdfast('backup', cluster));

const points = () => jsonLines<Point>('restore-points.jsonl');

/** Holds the cluster's lock as a running backup does. @returns what frees it. */
async function lockCluster(): Promise<() => void> {
  const holder = spawn('flock', [clusterFile('lock/cluster.lock'), 'cat'], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  holder.stdin.write('held\n');
  await once(holder.stdout, 'data');
  return () => holder.stdin.end();
}

beforeAll(async () => {
  place.workspace.env.PULUMI_OPTION_POLICY_PACK = path.join(repositoryRoot, 'policy');
  await place.initialise('prod');
  succeeded(await place.up(declare({})));
  await backUp();
  succeeded(await holdfast('verify', cluster));
  expect((await evidence()).phase).toBe('established');
}, 300_000);

afterAll(async () => {
  await place.host('unschedule', { cluster });
  removeTempDirs();
});

describe('an update of an established production cluster', () => {
  it('that changes several resources is preceded by one restore point, whose WAL is in the repository', async () => {
    const setsBefore = (await evidence()).backups.length;
    const { stdout } = succeeded(await place.up(declare({ workMem: '5MB', readOnlyRoles })));
    expect(stdout).toMatch(
      /prod: before this change: restore point change_holdfast-prod-\S+ is in the repository/,
    );
    expect(stdout).toMatch(/no backup was needed: .* within the RTO of 1 h/);

    expect(points()).toHaveLength(1);
    const [point] = points();
    const segment = await place.asSuperuser(
      cluster,
      'postgres',
      `select pg_walfile_name('${point!.position}')`,
    );
    expect(fs.readdirSync(walDirectory).filter(name => name.startsWith(`${segment}-`))).toHaveLength(1);
    expect((await evidence()).backups).toHaveLength(setsBefore);
    expect(jsonLines<AuditLine>('audit.jsonl').filter(({ what }) => what === snapshot)).toHaveLength(1);

    // It was made before the change, and there was more than one.
    expect(await workMem()).toBe('5MB');
    const roleAndOrder = `select pg_conf_load_time() > '${point!.at}' from pg_roles where rolname = 'shop_report'`;
    expect(await place.asSuperuser(cluster, 'postgres', roleAndOrder)).toBe('t');
  });

  it('waits for a running backup, and takes one that names the change where it declares `snapshot: always`', async () => {
    const release = await lockCluster();
    const update = place.up(declare({ workMem: '6MB', readOnlyRoles, backups: always }));
    await until('it has come to its backup', () => points().length === 2, { seconds: 120 });
    expect(await workMem()).toBe('5MB');
    release();
    const { stdout } = succeeded(await update);
    expect(stdout).toContain('snapshot: always is set');
    expect(await workMem()).toBe('6MB');
    const newest = (await evidence()).backups.at(-1)!;
    expect(stdout).toContain(`backup ${newest.id} was taken`);
    expect(newest).toMatchObject({
      kind: 'incremental',
      unusable: null,
      changeId: expect.stringMatching(/^holdfast\/prod@\d{4}-/) as string,
    });
  });
});

describe('while WAL does not reach the repository', () => {
  beforeAll(async () => {
    fs.chmodSync(walDirectory, 0o500);
    await place.asSuperuser(cluster, 'postgres', 'create table waits_for_the_archive ()');
    await place.asSuperuser(cluster, 'postgres', 'select pg_switch_wal()');
    // After three attempts the archiver rests, and what pgBackRest wrote down about the last one stays.
    const failed = 'select failed_count >= 3 from pg_stat_archiver';
    await until(
      'archiving has failed',
      async () => (await place.asSuperuser(cluster, 'postgres', failed)) === 't',
    );
  });
  afterAll(() => fs.chmodSync(walDirectory, 0o750));

  it('an update is blocked by the policy pack before anything is touched, and says why', async () => {
    const before = await state();
    const marked = points().length;
    const { code, stdout } = await place.up(declare({ workMem: '7MB', readOnlyRoles, backups: always }));
    expect(code).not.toBe(0);
    expect(stdout).toContain('backup-restorable');
    expect(stdout).toContain('[mandatory]');
    expect(stdout).toMatch(
      /cluster prod: WAL archiving doesn’t work: archiving [0-9A-F]{24} failed .*Permission denied/,
    );
    expect(await state()).toEqual(before);
    expect(points()).toHaveLength(marked);
  });
});

describe('while the repository is not there', () => {
  const change = { workMem: '8MB', readOnlyRoles: ['shop_report', 'shop_audit'], backups: always };
  const refused = async (attempt: () => Promise<Ran>): Promise<string> => {
    const before = await state();
    const { code, stdout } = await attempt();
    expect(code).not.toBe(0);
    expect(await state()).toEqual(before);
    return stdout;
  };

  it('an update without the policy pack is blocked by the hook: no resource is changed, and it says why', async () => {
    const file = declare({ ...change, breakGlass: grant(-120, -60) });
    const stdout = await refused(() => withoutPack(() => withoutRepository(() => place.up(file))));
    expect(stdout).toContain('prod: no snapshot, so nothing was changed');
    expect(stdout).not.toContain('backup-restorable');
  });

  it('a break-glass that expired lets nothing through', async () => {
    const file = declare({ ...change, breakGlass: grant(-120, -60) });
    const stdout = await refused(() => withoutRepository(() => place.up(file)));
    expect(stdout).toContain('BREAK-GLASS counts as none: it expired 1 h ago');
    expect(stdout).toContain('[mandatory]');
  });

  it('a valid break-glass lets it through, with loud warnings, and is on the next backup and no later one', async () => {
    const file = declare({ ...change, breakGlass: grant(-5, 60) });
    const { stdout } = succeeded(await withoutRepository(() => place.up(file)));
    expect(stdout).toContain('BREAK-GLASS IS IN FORCE until');
    expect(stdout).toMatch(/BREAK-GLASS waives for cluster prod: recent is missing/);
    expect(stdout).toMatch(
      /warning: prod: BREAK-GLASS: prod is changed without a snapshot: .*ada@example.com/,
    );
    expect(await workMem()).toBe('8MB');
    const role = "select count(*) from pg_roles where rolname = 'shop_audit'";
    expect(await place.asSuperuser(cluster, 'postgres', role)).toBe('1');
    expect(
      jsonLines<AuditLine>('audit.jsonl')
        .filter(({ what }) => what === snapshot)
        .at(-1),
    ).toMatchObject({
      outcome: 'succeeded',
      detail: expect.stringMatching(/BREAK-GLASS: .*ticket OPS-99 \(approved by ada@example.com/) as string,
    });

    await backUp();
    expect(await grantsOnBackups()).toEqual([expect.stringContaining('ticket OPS-99 (approved by ada@')]);
    const recorded = await grantsOnBackups();
    await backUp();
    expect(await grantsOnBackups()).toEqual(recorded);
  });
});

describe('a backup that is older than what is declared', () => {
  it('blocks the preview, which names it, the limit and the command that fixes it', async () => {
    const file = declare({ workMem: '9MB', backups: { maximumAge: '1 s' } });
    const { code, stdout } = await place.preview(file);
    expect(code).not.toBe(0);
    expect(stdout).toMatch(/\[mandatory\].*backup-recent/);
    const newest = (await evidence()).backups.at(-1)!.id;
    expect(stdout).toMatch(
      new RegExp(
        `prod: the newest usable backup \\(${newest}, .* old; at most 1 s is allowed\\n +fix: holdfast backup prod`,
      ),
    );
    expect(stdout).not.toMatch(/\[mandatory\].*backup-(restorable|verified)/);
  });
});
