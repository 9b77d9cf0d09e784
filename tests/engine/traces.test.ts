import fs from 'node:fs/promises';
import path from 'node:path';
import type { HostSpecification } from '../../core/specification';
import type { Evidence } from '../../core/evidence';
import { judge, limitsOf } from '../../core/freshness';
import { openHostEngine } from '../../engines/host/engine';
import { apply } from '../../engines/host/provision/apply';
import { start, stop } from '../../engines/host/provision/power';
import { readRecord } from '../../engines/host/record';
import { engineOf, ownPort, patient } from '../support/engine';
import { createCluster, dropHome, specify, type TestCluster } from '../support/host-cluster';
import { removeTempDirs, tempDir } from '../support/temp';

/*
 * A production cluster that was there, and of which only traces are left: nothing of this may pass for a first provision.
 */

let cluster: TestCluster;

const evidenceOf = (specification: HostSpecification, home: string): Promise<Evidence> =>
  openHostEngine({ home, specification }).evidence();
const letsThrough = (evidence: Evidence) =>
  judge(evidence, limitsOf(cluster.specification.settings.backups)).letsThrough;
const applyAgain = (specification = cluster.specification, home = cluster.home) =>
  apply({ specification, revision: 2 }, { home, program: null, report: () => undefined });

async function without(directory: string, use: () => Promise<void>): Promise<void> {
  const away = `${directory}-away`;
  await fs.rename(directory, away);
  try {
    await use();
  } finally {
    await fs.rm(directory, { recursive: true, force: true });
    await fs.rename(away, directory);
  }
}

beforeAll(async () => {
  cluster = await createCluster({ home: path.join(tempDir(0o700), 'home'), cluster: await ownPort() });
  const engine = engineOf(cluster);
  await engine.backup('full', {}).wait(patient());
  await engine.establish();
  await stop(cluster.specification, cluster.home);
});

afterAll(async () => {
  await dropHome(cluster.home);
  removeTempDirs();
});

it('whose directory is gone, while its repository is there, is no first provision', async () => {
  await without(cluster.paths.root, async () => {
    const evidence = await evidenceOf(cluster.specification, cluster.home);
    expect(evidence.problems.map(({ what }) => what).join()).toContain(
      'has backups or WAL of a cluster shop',
    );
    expect(letsThrough(evidence)).toBeNull();
    await expect(applyAgain()).rejects.toMatchObject({ code: 'refused' });
  });
});

it('whose repository can’t be decrypted is not provisioned anew', async () => {
  const home = path.join(tempDir(0o700), 'home');
  const secret = (passphrase: string) => [
    { type: 'local', path: path.join(home, 'r'), encryption: true, passphrase },
  ];
  const first = specify({
    cluster: { ...(await ownPort()), backups: { repositories: secret('correct horse battery') } },
  });
  await applyAgain(first, home);
  await stop(first, home);
  await without(path.join(home, 'clusters'), async () => {
    // What a wrong key decrypts to is chance, and pgBackRest says something else each time.
    for (let attempt = 1; attempt <= 20; attempt += 1) {
      const wrong = specify({
        cluster: {
          ...(await ownPort()),
          backups: { repositories: secret(`another horse battery ${attempt}`) },
        },
      });
      await expect(applyAgain(wrong, home)).rejects.toMatchObject({
        message: expect.stringContaining('can’t be read') as string,
      });
      const lost = { record: path.join(home, 'clusters', 'shop', 'record.json') };
      expect(await readRecord(lost)).toBeNull();
    }
  });
  await dropHome(home);
});

it('whose data is on another disk than its home is no first provision after an apply was refused', async () => {
  const base = tempDir(0o700);
  const home = path.join(base, 'home');
  const { source } = await ownPort();
  const specification = specify({
    cluster: { source: { ...source, dataDirectory: path.join(base, 'disk', 'data') } },
  });
  await applyAgain(specification, home);
  await stop(specification, home);
  await without(home, async () => {
    await expect(applyAgain(specification, home)).rejects.toMatchObject({ code: 'refused' });
    expect(letsThrough(await evidenceOf(specification, home))).toBeNull();
    expect(await readRecord({ record: path.join(home, 'clusters', 'shop', 'record.json') })).toBeNull();
  });
  await dropHome(home);
});

it('whose repository was there at the last apply gets no new one in its place', async () => {
  await without(cluster.paths.repository, async () => {
    await expect(applyAgain()).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringContaining('repository 1 had the backups of cluster shop') as string,
    });
    expect(await fs.readdir(cluster.paths.repository)).toEqual([]);
    await stop(cluster.specification, cluster.home);
  });
  await applyAgain();
  await stop(cluster.specification, cluster.home);
});

describe('whose repository is not its own any more, under break-glass', () => {
  const grant = 'OPS-99 (approved by ada)';
  const applyUnderBreakGlass = async (revision: number): Promise<string> => {
    const said: string[] = [];
    const report = (step: string) => void said.push(step);
    const { specification, home } = cluster;
    await apply({ specification, revision }, { home, program: null, report, breakGlass: grant });
    return said.join('\n');
  };
  const revision = async () => (await readRecord(cluster.paths))?.revision;
  afterEach(() => stop(cluster.specification, cluster.home));

  it('because it is lost: it is applied, says so, and makes no new one either', async () => {
    await without(cluster.paths.repository, async () => {
      expect(await applyUnderBreakGlass(2)).toMatch(
        /BREAK-GLASS: .*repository 1 had the backups of cluster shop, .*OPS-99 \(approved by ada\)/,
      );
      expect(await revision()).toBe(2);
      expect(await fs.readdir(cluster.paths.repository)).toEqual([]);
    });
  });

  it('because it is that of another cluster: it is refused all the same', async () => {
    const home = path.join(tempDir(0o700), 'home');
    const other = await createCluster({ home, cluster: await ownPort() });
    await without(cluster.paths.repository, async () => {
      await fs.cp(other.paths.repository, cluster.paths.repository, { recursive: true });
      await expect(applyUnderBreakGlass(3)).rejects.toMatchObject({
        code: 'refused',
        message: expect.stringContaining('the stanza shop belongs to another cluster') as string,
      });
      expect(await revision()).toBe(2);
    }).finally(() => other.drop());
  });
});

it('that was adopted, and whose directory is gone, is not about to be adopted', async () => {
  const { dataDirectory, socketDirectory } = cluster.paths;
  await start(cluster.specification, cluster.home);
  const home = path.join(tempDir(0o700), 'home');
  const specification = specify({
    cluster: {
      source: {
        mode: 'existing',
        dataDirectory,
        socketDirectory,
        port: cluster.outcome.applied.endpoint.port,
        replaceArchiveCommand: 'the test’s own before it is adopted',
      },
    },
  });
  expect((await evidenceOf(specification, home)).problems).toEqual([]);
  expect(letsThrough(await evidenceOf(specification, home))).toBe('adoption');
  await applyAgain(specification, home);
  await without(path.join(home, 'clusters'), async () => {
    const evidence = await evidenceOf(specification, home);
    expect(evidence.problems.map(({ what }) => what).join()).toContain(`${dataDirectory} archives to`);
    expect(letsThrough(evidence)).toBeNull();
  });
});
