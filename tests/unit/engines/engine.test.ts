import fs from 'node:fs';
import path from 'node:path';
import { contextOf, openHostEngine } from '../../../engines/host/engine';
import { pathsOf } from '../../../engines/host/layout';
import { tracesOf } from '../../../engines/host/traces';
import { archiveCommand } from '../../../engines/host/postgres/settings';
import { Findings } from '../../../jobs/checklist';
import { specify } from '../../support/host-cluster';
import { removeTempDirs, tempDir } from '../../support/temp';

afterAll(removeTempDirs);

const request = { target: { type: 'latest' }, purpose: 'clone', expiresAt: '2026-01-03T00:00:00Z' } as const;

describe('a cluster of which nothing is here', () => {
  test('is not established by a verification', async () => {
    const home = tempDir();
    await openHostEngine({ home, specification: specify() }).establish();
    expect(fs.readdirSync(home)).toEqual([]);
  });

  test('has the version that it is declared to have', async () => {
    const { installation } = contextOf({ home: tempDir(), specification: specify() }, null);
    expect(await installation()).toMatchObject({ version: 15 });
  });

  test('and is about to be adopted has the version of its data', async () => {
    const directory = tempDir();
    fs.writeFileSync(path.join(directory, 'PG_VERSION'), '15\n');
    const source = { mode: 'existing', dataDirectory: directory, socketDirectory: directory, port: 5432 };
    const specification = specify({ cluster: { source } });
    const { installation } = contextOf({ home: tempDir(), specification }, null);
    expect(await installation()).toMatchObject({ version: 15 });
  });

  test('and whose version only its data would say is said to be missing', async () => {
    const directory = tempDir();
    const source = { mode: 'existing', dataDirectory: directory, socketDirectory: directory, port: 5432 };
    const engine = openHostEngine({ home: tempDir(), specification: specify({ cluster: { source } }) });
    const clone = {
      id: 'c-1',
      purpose: 'clone',
      createdAt: '',
      expiresAt: '',
      state: 'stopped',
      sizeBytes: 0,
      connect: [],
      measured: null,
    } as const;
    const watch = { report: () => undefined, signal: new AbortController().signal };
    await expect(engine.checkIntegrity(clone, new Findings(), watch)).rejects.toMatchObject({
      code: 'engine-failed',
      message: `there is no cluster in ${directory}`,
    });
  });
});

test('a record that can’t be read stops everything but the evidence, which says so', async () => {
  const home = tempDir();
  const specification = specify();
  const { root, record } = pathsOf(home, specification);
  fs.mkdirSync(root, { recursive: true });
  fs.writeFileSync(record, 'garbage');
  const engine = openHostEngine({ home, specification });
  const watch = { report: () => undefined, signal: new AbortController().signal };
  await expect(engine.clone(request).wait(watch)).rejects.toThrow("can't be read or understood");
  expect((await engine.evidence()).problems.map(({ what }) => what).join()).toContain('record.json');
});

describe('traces of a cluster', () => {
  const traces = (home: string, cluster: object) => {
    const specification = specify({ cluster: { ...cluster } });
    return tracesOf(specification, pathsOf(home, specification));
  };

  test('are its backups or WAL in a repository of this machine; others aren’t looked into', async () => {
    const home = tempDir();
    const elsewhere = tempDir();
    const passphrase = 'remote passphrase 2';
    const s3 = {
      type: 's3',
      bucket: 'shop',
      endpoint: 's3.example.com',
      region: 'eu',
      key: 'AK',
      keySecret: 'SK',
    };
    const local = { type: 'local', path: elsewhere, encryption: true };
    const backups = { repositories: [local, s3].map(one => ({ ...one, passphrase })) };
    expect(await traces(home, { backups })).toEqual([]);
    fs.mkdirSync(path.join(elsewhere, 'archive', 'shop'), { recursive: true });
    expect(await traces(home, { backups })).toEqual([`${elsewhere} has backups or WAL of a cluster shop`]);
  });

  test('that was adopted are that it archives to here', async () => {
    const home = tempDir();
    const dataDirectory = tempDir();
    const source = { mode: 'existing', dataDirectory, socketDirectory: '/srv/run', port: 5432 };
    const specification = specify({ cluster: { source } });
    expect(await traces(home, { source })).toEqual([]);
    const overrides = path.join(dataDirectory, 'postgresql.auto.conf');
    const command = archiveCommand(pathsOf(home, specification));
    fs.writeFileSync(overrides, `archive_command = 'cp %p /x'\n`);
    expect(await traces(home, { source })).toEqual([]);
    fs.writeFileSync(overrides, `archive_command = '${command.replaceAll("'", "''")}'\n`);
    expect(await traces(home, { source })).toEqual([
      expect.stringContaining(`${dataDirectory} archives to`) as string,
    ]);
  });
});
