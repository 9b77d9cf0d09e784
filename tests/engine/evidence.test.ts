import fs from 'node:fs/promises';
import path from 'node:path';
import type { Evidence } from '../../core/evidence';
import { judge, limitsOf, type Verdict } from '../../core/freshness';
import type { Engine } from '../../engines/engine';
import { PgBackRest } from '../../engines/host/pgbackrest/command';
import { ensureStanza } from '../../engines/host/pgbackrest/stanza';
import { findInstallation } from '../../engines/host/postgres/installation';
import { startServer, stopServer } from '../../engines/host/postgres/server';
import { engineOf, ownPort, patient, rows } from '../support/engine';
import { createCluster, type TestCluster } from '../support/host-cluster';
import { succeed, until } from '../support/processes';
import { removeTempDirs, tempDir } from '../support/temp';

const faketime = '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1';

let cluster: TestCluster;
let engine: Engine;

beforeAll(async () => {
  cluster = await createCluster({
    cluster: {
      ...(await ownPort()),
      backups: { repositories: [{ type: 'local', encryption: true, passphrase: 'correct horse battery' }] },
    },
  });
  engine = engineOf(cluster, 12);
  await rows(engine, 'create table items as select generate_series(1, 1000) as id');
  await engine.backup('full', {}).wait(patient());
  await engine.backup('differential', {}).wait(patient());
  await engine.establish();
});

afterAll(async () => {
  await cluster.drop();
  removeTempDirs();
});

const verdictOf = (evidence: Evidence, rule: string): Verdict | undefined =>
  judge(evidence, limitsOf(cluster.specification.settings.backups)).findings.find(
    finding => finding.rule === rule,
  )?.verdict;
const repositoryFile = (...names: string[]) => path.join(cluster.paths.repository, ...names);
const archiveDirectory = () => repositoryFile('archive', 'shop', '15-1', '0000000100000000');

/** Completes segments with a change in each. */
async function fillSegments(count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    await rows(engine, `insert into items values (${index})`);
    await rows(engine, 'select pg_switch_wal()');
  }
}

/** Runs `use` while something is broken, and mends it however that ends. */
async function whileBroken(
  break_: () => Promise<void>,
  mend: () => Promise<void>,
  use: () => Promise<void>,
): Promise<void> {
  await break_();
  try {
    await use();
  } finally {
    await mend();
  }
}

const move = (from: string, to: string) =>
  whileBroken.bind(
    null,
    () => fs.rename(from, to),
    () => fs.rename(to, from),
  );
const rewrite = async (file: string, change: (text: string) => string, use: () => Promise<void>) => {
  const text = await fs.readFile(file, 'utf8');
  await whileBroken(
    () => fs.writeFile(file, change(text)),
    () => fs.writeFile(file, text),
    use,
  );
};
const withPath = (value: string, use: () => Promise<void>) => {
  const before = process.env.PATH;
  return whileBroken(
    () => Promise.resolve(void (process.env.PATH = value)),
    () => Promise.resolve(void (process.env.PATH = before)),
    use,
  );
};

it('of a healthy cluster has no problems', async () => {
  const evidence = await engine.evidence();
  expect(evidence.problems).toEqual([]);
  expect(evidence.repositories[0]).toMatchObject({ encrypted: true });
  expect(evidence.backups.map(({ unusable }) => unusable)).toEqual([null, null]);
  expect(verdictOf(evidence, 'restorable')).toBe('fresh');
});

describe('of changes that are not archived', () => {
  it('says when the oldest was committed; nothing later can be restored', async () => {
    await rows(engine, 'select pg_switch_wal()');
    const [{ before } = { before: '' }] = await rows<{ before: string }>(
      engine,
      `select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as before`,
    );
    await rows(engine, 'insert into items values (-1)');
    const evidence = await engine.evidence();
    const oldest = evidence.archive!.oldestUnarchivedChangeAt!;
    expect(oldest >= before && oldest <= evidence.observedAt).toBe(true);
    expect(evidence.restorable?.until).toBe(oldest);
    await engine.markRestorePoint('all of it');
    const later = await engine.evidence();
    expect(later.archive!.oldestUnarchivedChangeAt).toBeNull();
    expect(later.restorable?.until).toBe(later.observedAt);
  });
});

describe('of a repository', () => {
  it('with the wrong passphrase is unknown, and shows neither secrets nor ciphertext', async () => {
    await rewrite(
      cluster.paths.configuration,
      text => text.replace('correct horse battery', 'wrong horse battery!'),
      async () => {
        const evidence = await engine.evidence();
        expect(verdictOf(evidence, 'readable')).toBe('unknown');
        expect(JSON.stringify(evidence)).not.toMatch(/horse|\\u0000|\ufffd/);
      },
    );
  });

  it('without its passphrase is unknown', async () => {
    await rewrite(
      cluster.paths.configuration,
      text => text.replace(/^repo1-cipher.*\n/gm, ''),
      async () => expect(verdictOf(await engine.evidence(), 'readable')).toBe('unknown'),
    );
  });

  it('that is missing is unknown, and no backup makes it anew', async () => {
    await move(
      cluster.paths.repository,
      `${cluster.paths.repository}-away`,
    )(async () => {
      const evidence = await engine.evidence();
      expect(verdictOf(evidence, 'readable')).toBe('unknown');
      expect(evidence.backups).toEqual([]);
      await expect(engine.backup('full', {}).wait(patient())).rejects.toMatchObject({
        code: 'engine-failed',
      });
    });
    expect((await engine.evidence()).problems).toEqual([]);
  });

  it('that can’t be written fails the backup, and keeps what was there', async () => {
    const directory = repositoryFile('backup', 'shop');
    await whileBroken(
      () => fs.chmod(directory, 0o500),
      () => fs.chmod(directory, 0o750),
      async () => {
        await expect(engine.backup('full', {}).wait(patient())).rejects.toMatchObject({
          code: 'engine-failed',
          message: expect.stringContaining('Permission denied') as string,
        });
        expect((await engine.evidence()).backups).toHaveLength(2);
      },
    );
  });

  it('that can’t be read is unknown', async () => {
    await whileBroken(
      () => fs.chmod(cluster.paths.repository, 0o000),
      () => fs.chmod(cluster.paths.repository, 0o700),
      async () => expect(verdictOf(await engine.evidence(), 'readable')).toBe('unknown'),
    );
  });

  it('whose newest set lacks a part of a file falls back to the set before', async () => {
    const [full, newest] = (await engine.evidence()).backups;
    const bundles = repositoryFile('backup', 'shop', newest!.id, 'bundle');
    const [first] = await fs.readdir(bundles);
    const file = path.join(bundles, first!);
    const content = await fs.readFile(file);
    await whileBroken(
      () => fs.truncate(file, content.length - 16),
      () => fs.writeFile(file, content),
      async () => {
        const evidence = await engine.evidence();
        expect(evidence.backups.map(({ unusable }) => unusable)).toEqual([
          null,
          expect.stringContaining('were written') as string,
        ]);
        expect(judge(evidence, limitsOf(cluster.specification.settings.backups)).newestUsable?.id).toBe(
          full!.id,
        );
      },
    );
  });

  it('whose full set is gone has no usable set that builds on it', async () => {
    const [full] = (await engine.evidence()).backups;
    const directory = repositoryFile('backup', 'shop', full!.id);
    await move(
      directory,
      `${cluster.paths.repository}-away`,
    )(async () => {
      const evidence = await engine.evidence();
      expect(evidence.backups.map(({ unusable }) => unusable)).toEqual([
        'its directory is missing in the repository',
        `it needs ${full!.id}: its directory is missing in the repository`,
      ]);
      expect(verdictOf(evidence, 'recent')).toBe('missing');
    });
  });

  it('whose newest manifest and its copy are garbage can’t be restored from that set', async () => {
    const newest = (await engine.evidence()).backups.at(-1)!;
    const files = ['backup.manifest', 'backup.manifest.copy'].map(name =>
      repositoryFile('backup', 'shop', newest.id, name),
    );
    const contents = await Promise.all(files.map(file => fs.readFile(file)));
    await whileBroken(
      async () => {
        await Promise.all(files.map(file => fs.writeFile(file, 'garbage')));
      },
      async () => {
        await Promise.all(files.map((file, index) => fs.writeFile(file, contents[index]!)));
      },
      async () =>
        expect((await engine.evidence()).backups.at(-1)!.unusable).toBe('its manifest can’t be read'),
    );
  });
});

describe('of WAL', () => {
  it('finds a segment that was removed from the middle', async () => {
    await fillSegments(4);
    await engine.markRestorePoint('filled');
    const names = (await fs.readdir(archiveDirectory())).filter(name => /^[0-9A-F]{24}-/.test(name)).sort();
    const victim = names.at(-3)!;
    const segment = victim.slice(0, 24);
    await move(
      path.join(archiveDirectory(), victim),
      path.join(cluster.home, 'segment'),
    )(async () => {
      const evidence = await engine.evidence();
      expect(evidence.archive?.gaps).toEqual([{ timeline: 1, from: segment, to: segment }]);
      expect(verdictOf(evidence, 'restorable')).toBe('missing');
      expect(evidence.restorable!.until < evidence.observedAt).toBe(true);
    });
    expect((await engine.evidence()).archive?.gaps).toEqual([]);
  });

  it('finds that what was archived last is gone', async () => {
    await engine.markRestorePoint('again');
    let victim = '';
    // The repository has a segment before the server counts it, and archive_timeout may complete another one meanwhile.
    await until('the server knows of what is in the repository', async () => {
      const names = await fs.readdir(archiveDirectory());
      victim = names
        .filter(name => /^[0-9A-F]{24}-/.test(name))
        .sort()
        .at(-1)!;
      const [row] = await rows<{ last: string }>(
        engine,
        'select last_archived_wal as last from pg_stat_archiver',
      );
      return row?.last === victim.slice(0, 24);
    });
    const segment = victim.slice(0, 24);
    await move(
      path.join(archiveDirectory(), victim),
      path.join(cluster.home, 'segment'),
    )(async () => {
      expect((await engine.evidence()).archive?.gaps).toEqual([{ timeline: 1, from: segment, to: segment }]);
    });
  });

  it('finds that a set lacks the WAL that it needs itself', async () => {
    const text = await succeed('pgbackrest', [
      `--config=${cluster.paths.configuration}`,
      '--stanza=shop',
      '--output=json',
      'info',
    ]);
    const [{ backup } = { backup: [] }] = JSON.parse(text) as { backup: { archive: { stop: string } }[] }[];
    const names = await fs.readdir(archiveDirectory());
    const victim = names.find(name => name.startsWith(`${backup.at(-1)!.archive.stop}-`))!;
    await move(
      path.join(archiveDirectory(), victim),
      path.join(cluster.home, 'segment'),
    )(async () => {
      expect((await engine.evidence()).backups.at(-1)!.unusable).toBe(
        'WAL that it needs is missing in the repository',
      );
    });
  });

  it('says why it can’t be archived; a restore point is then refused', async () => {
    const directory = archiveDirectory();
    await whileBroken(
      () => fs.chmod(directory, 0o500),
      () => fs.chmod(directory, 0o750),
      async () => {
        await expect(engine.markRestorePoint('never proven')).rejects.toMatchObject({
          code: 'engine-failed',
          message: expect.stringMatching(
            /did not reach the repository within 12 s: archiving [0-9A-F]{24} fails.*Permission denied/,
          ) as string,
        });
        const evidence = await engine.evidence();
        expect(evidence.archive?.failing).toMatch(/^archiving [0-9A-F]{24} failed at .*Permission denied/);
        expect(evidence.archive?.backlogSegments).toBeGreaterThan(0);
        expect(verdictOf(evidence, 'restorable')).toBe('stale');
        expect((await engine.restorePoints()).map(({ name }) => name)).not.toContain('never proven');
        // Nor is it halted for a restore that would lose what isn't archived.
        await expect(engine.halt()).rejects.toThrow(
          /can’t be archived, so it was started again: .*Permission denied/,
        );
        expect((await engine.evidence()).server.state).toBe('running');
      },
    );
    // The archiver tries again once a minute, or when a segment is completed.
    await fillSegments(1);
    await until('archiving works again', async () => (await engine.evidence()).archive?.failing === null, {
      seconds: 60,
    });
  });

  it('finds what was completed while archiving was off, before anything later is archived', async () => {
    const installation = await findInstallation(15);
    await engine.markRestorePoint('before it was off');
    const restart = async (mode: string) => {
      await rows(engine, `alter system set archive_mode = '${mode}'`);
      await stopServer(installation, cluster.paths);
      await startServer(installation, cluster.paths);
    };
    await restart('off');
    const position = 'select pg_walfile_name(pg_current_wal_insert_lsn()) as segment';
    const [lost] = await rows<{ segment: string }>(engine, position);
    await fillSegments(1);
    await restart('on');
    const evidence = await engine.evidence();
    expect(evidence.archive).toMatchObject({ failing: null, backlogSegments: 0 });
    expect(evidence.archive?.gaps).toEqual([{ timeline: 1, from: lost!.segment, to: lost!.segment }]);
    expect(verdictOf(evidence, 'restorable')).toBe('missing');
    await rows(engine, 'alter system reset archive_mode');
    await engine.backup('full', {}).wait(patient());
    expect((await engine.evidence()).archive?.gaps).toEqual([]);
  });

  it('says that archiving is off', async () => {
    await rows(engine, `alter system set archive_command = '/bin/true'`);
    await rows(engine, 'select pg_reload_conf()');
    await until('the server has read it', async () => {
      const [row] = await rows<{ command: string }>(
        engine,
        `select current_setting('archive_command') as command`,
      );
      return row?.command === '/bin/true';
    });
    expect((await engine.evidence()).archive?.failing).toBe(
      'archive_command is that of another tool, so WAL goes elsewhere',
    );
    expect((await engine.drift()).join()).toContain('archive_command');
    await rows(engine, 'alter system reset archive_command');
    await rows(engine, 'select pg_reload_conf()');
  });
});

describe('of a pgbackrest', () => {
  it('that prints garbage is unknown', async () => {
    const fake = tempDir();
    await fs.writeFile(path.join(fake, 'pgbackrest'), '#!/bin/sh\necho "[{\\"name\\": \\"shop\\"}]"\n', {
      mode: 0o755,
    });
    await withPath(`${fake}:${process.env.PATH ?? ''}`, async () => {
      const evidence = await engine.evidence();
      expect(evidence.problems.map(({ what }) => what).join()).toContain('can’t be read');
      expect(verdictOf(evidence, 'readable')).toBe('unknown');
    });
  });

  it('that isn’t installed is unknown, and says so', async () => {
    await withPath(tempDir(), async () => {
      const evidence = await engine.evidence();
      expect(evidence.problems.map(({ what }) => what).join()).toContain('pgbackrest is not installed');
    });
  });
});

describe('of a stanza', () => {
  it('of another cluster: it is refused, never upgraded', async () => {
    const pgbackrest = new PgBackRest(cluster.paths.configuration, 'shop');
    await expect(ensureStanza(pgbackrest, '7000000000000000001')).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringContaining('belongs to another cluster') as string,
    });
  });

  it('whose cluster is not the recorded one is unknown, whatever else is fine', async () => {
    await rewrite(
      cluster.paths.record,
      text => text.replace(/"systemIdentifier": "\d+"/, '"systemIdentifier": "7000000000000000001"'),
      async () => expect(verdictOf(await engine.evidence(), 'identity')).toBe('unknown'),
    );
  });

  it('whose record can’t be read is unknown', async () => {
    await rewrite(
      cluster.paths.record,
      () => '{',
      async () =>
        expect((await engine.evidence()).problems.map(({ what }) => what).join()).toContain('record.json'),
    );
  });
});

describe('of a server', () => {
  const installation = () => findInstallation(15);

  it('whose clock is a month behind its backups is unknown', async () => {
    const { bin } = await installation();
    await stopServer(await installation(), cluster.paths);
    const log = path.join(cluster.paths.log, 'startup.log');
    // Without -w: pg_ctl would wait for a start at the time that its own clock shows.
    await succeed(
      path.join(bin, 'pg_ctl'),
      ['start', '-W', '-s', '-D', cluster.paths.dataDirectory, '-l', log],
      {
        env: { ...process.env, LD_PRELOAD: faketime, FAKETIME: '-30d' },
      },
    );
    await until('it answers', () =>
      rows(engine, 'select 1').then(
        () => true,
        () => false,
      ),
    );
    const evidence = await engine.evidence();
    expect(verdictOf(evidence, 'readable')).toBe('unknown');
    expect(evidence.problems).toEqual([]);
    await stopServer(await installation(), cluster.paths);
    await startServer(await installation(), cluster.paths);
    expect(verdictOf(await engine.evidence(), 'readable')).toBe('fresh');
  });

  it('that is stopped still tells what can be restored', async () => {
    await stopServer(await installation(), cluster.paths);
    const evidence = await engine.evidence();
    expect(evidence).toMatchObject({
      server: { state: 'stopped', version: null },
      archive: null,
      problems: [],
    });
    expect(evidence.identity.found).toBe(evidence.identity.recorded);
    expect(evidence.restorable).not.toBeNull();
    expect(verdictOf(evidence, 'restorable')).toBe('unknown');
    await expect(engine.markRestorePoint('x')).rejects.toMatchObject({ code: 'engine-failed' });
  });

  it('whose data isn’t mounted is unknown', async () => {
    await move(
      cluster.paths.dataDirectory,
      `${cluster.paths.dataDirectory}-away`,
    )(async () => {
      const evidence = await engine.evidence();
      expect(evidence.identity.found).toBeNull();
      expect(verdictOf(evidence, 'identity')).toBe('unknown');
      expect(evidence.problems.map(({ what }) => what).join()).toContain('holds no data');
    });
  });
});

it('of a cluster that never was is none, without problems', async () => {
  const nobody = engineOf({ ...cluster, home: path.join(tempDir(0o700), 'nothing') });
  const evidence = await nobody.evidence();
  expect(evidence).toMatchObject({
    phase: 'none',
    identity: { recorded: null, found: null, backedUp: null },
    server: { state: 'stopped' },
    problems: [],
    repositories: [],
  });
});
