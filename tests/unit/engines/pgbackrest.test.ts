import { deflateRawSync } from 'node:zlib';
import { parseInfo } from '../../../engines/host/pgbackrest/info';
import { progressReader } from '../../../engines/host/pgbackrest/progress';
import {
  archivedHistories,
  archivedSegments,
  filesBySet,
  missingFiles,
  parseListing,
} from '../../../engines/host/pgbackrest/repository';
import {
  annotationArguments,
  changeIdOf,
  decodeCounts,
  decodeVerification,
  encodeAnnotations,
  encodeVerification,
} from '../../../engines/host/pgbackrest/annotations';
import { printable } from '../../../engines/host/pgbackrest/command';
import { repositoryLocation, renderConfiguration } from '../../../engines/host/pgbackrest/configuration';
import { stack } from '../../../core/settings/stack';
import type { HostClusterSettings } from '../../../core/settings/stack';
import type { HostSpecification } from '../../../core/specification';

const info = JSON.stringify([
  {
    archive: [{ database: { id: 1, 'repo-key': 1 }, id: '15-1', max: null, min: null }],
    backup: [
      {
        annotation: { 'holdfast-change': 'c-1' },
        archive: { start: '000000010000000000000002', stop: '000000010000000000000003' },
        database: { id: 1, 'repo-key': 1 },
        error: false,
        info: { delta: 10, repository: { delta: 5, size: 7 }, size: 10 },
        label: '20261125-095135F_20261125-095445I',
        lsn: { start: '0/2000028', stop: '0/3000100' },
        reference: ['20261125-095135F', '20261125-095135F_20261125-095445I'],
        timestamp: { start: 1795600295, stop: 1795600297 },
        type: 'incr',
      },
    ],
    cipher: 'none',
    db: [{ id: 1, 'repo-key': 1, 'system-id': 0, version: '15' }],
    name: 'shop',
    repo: [{ cipher: 'none', key: 1, status: { code: 0, message: 'ok' } }],
    status: { code: 0, lock: { backup: { held: true } }, message: 'ok' },
  },
]).replace('"system-id":0', '"system-id":7712044539535109723');

describe('pgbackrest info', () => {
  it('keeps a system identifier above 2^53 exact', () => {
    expect(parseInfo(info, 'shop').systemIdentifier).toBe('7712044539535109723');
  });

  it('lists the sets with kind, times, needed WAL, sizes and annotations', () => {
    const { sets, backupRunning, archiveId } = parseInfo(info, 'shop');
    expect(backupRunning).toBe(true);
    expect(archiveId).toBe('15-1');
    expect(sets).toEqual([
      {
        label: '20261125-095135F_20261125-095445I',
        kind: 'incremental',
        startedAt: '2026-11-25T09:51:35.000Z',
        stoppedAt: '2026-11-25T09:51:37.000Z',
        references: ['20261125-095135F'],
        pageErrors: false,
        firstSegment: '000000010000000000000002',
        lastSegment: '000000010000000000000003',
        startLsn: '0/2000028',
        stopLsn: '0/3000100',
        sizeBytes: 10,
        storedBytes: 5,
        annotations: { 'holdfast-change': 'c-1' },
        repository: 1,
        systemIdentifier: '7712044539535109723',
      },
    ]);
  });

  it('makes do with what older sets lack, and takes the newest of several databases', () => {
    const [stanza] = JSON.parse(info) as [Record<string, unknown> & { backup: Record<string, unknown>[] }];
    const { lsn, annotation, ...older } = stanza.backup[0]!;
    expect([lsn, annotation]).not.toContain(undefined);
    const text = JSON.stringify([
      {
        ...stanza,
        db: [
          { id: 1, 'repo-key': 1, 'system-id': 1, version: '14' },
          { id: 3, 'repo-key': 1, 'system-id': 3, version: '15' },
          { id: 2, 'repo-key': 1, 'system-id': 2, version: '15' },
        ],
        backup: [{ ...older, reference: null, database: { id: 9, 'repo-key': 1 } }],
      },
    ]);
    const { systemIdentifier, sets } = parseInfo(text, 'shop');
    expect(systemIdentifier).toBe('3');
    expect(sets).toMatchObject([
      { references: [], startLsn: null, stopLsn: null, annotations: {}, systemIdentifier: null },
    ]);
  });

  it('has no sets of a stanza that it does not name', () => {
    expect(parseInfo(info, 'other')).toMatchObject({ code: 1, sets: [], systemIdentifier: null });
  });

  it.each(['', 'garbage', '{}', '[{"name":"shop"}]', '[{"name":"shop","backup":'])(
    'refuses %j instead of finding no backups in it',
    text => {
      expect(() => parseInfo(text, 'shop')).toThrow('can’t be read');
    },
  );
});

describe('a listing of the repository', () => {
  const files = parseListing(
    JSON.stringify({
      '.': { type: 'path' },
      'archive.info': { type: 'file', size: 253, time: 1 },
      '15-1/0000000100000000/000000010000000000000001-34d95902185cdf31840f6b1eb459f6df2764b488.lz4': {
        type: 'file',
        size: 100,
        time: 2,
      },
      '15-1/0000000100000000/000000010000000000000002-34d95902185cdf31840f6b1eb459f6df2764b488.lz4.pgbackrest.tmp':
        { type: 'file', size: 100, time: 2 },
      '15-1/0000000100000000/000000010000000000000003.partial-34d95902185cdf31840f6b1eb459f6df2764b488.lz4': {
        type: 'file',
        size: 100,
        time: 2,
      },
      '14-1/0000000100000000/000000010000000000000009-34d95902185cdf31840f6b1eb459f6df2764b488': {
        type: 'file',
        size: 100,
        time: 2,
      },
      '15-1/00000002.history': { type: 'file', size: 40, time: 5 },
    }),
  );

  it('counts complete segments of the current archive only', () => {
    expect(archivedSegments(files, '15-1')).toEqual([{ name: '000000010000000000000001', writtenAt: 2 }]);
  });

  it('knows when a timeline began by its history file', () => {
    const file = (path: string) => ({ path, bytes: 40, writtenAt: 5 });
    const others = ['14-1/00000003.history', '15-1/0000000100000000/000000010000000000000001', '15-1/notes'];
    expect(archivedHistories(['15-1/00000002.history', ...others].map(file), '15-1')).toEqual([
      { timeline: 2, archivedAt: 5 },
    ]);
  });

  it('finds a set of which a file is missing or cut', () => {
    const [set] = parseInfo(info, 'shop').sets;
    const label = set!.label;
    const manifest = { path: `${label}/backup.manifest`, bytes: 9, writtenAt: 1 };
    const judge = (bytes: number) =>
      missingFiles(set!, filesBySet([manifest, { path: `${label}/pg_data/1.lz4`, bytes, writtenAt: 1 }]));
    expect(judge(5)).toBeNull();
    expect(filesBySet([{ path: 'backup.info', bytes: 5, writtenAt: 1 }]).size).toBe(0);
    expect(judge(4)).toContain('4 bytes');
    expect(missingFiles(set!, filesBySet([manifest]))).toContain('0 bytes');
    expect(missingFiles(set!, filesBySet([]))).toContain('directory is missing');
    expect(
      missingFiles(set!, filesBySet([{ path: `${label}/pg_data/1.lz4`, bytes: 5, writtenAt: 1 }])),
    ).toContain('manifest is missing');
  });

  it('refuses what is not a listing', () => {
    expect(() => parseListing('nonsense')).toThrow('can’t be read');
  });
});

describe('annotations', () => {
  const verification = {
    result: 'failed',
    at: '2026-01-02T03:04:05.678Z',
    restoreSeconds: 12.5,
    replayBytesPerSecond: null,
    reason: 'orders: 3 rows, 10 before',
  } as const;

  it('give a verification and its counts back', () => {
    const stored = encodeVerification(verification, { 'shop.app.orders': 3 });
    expect(decodeVerification(stored)).toEqual(verification);
    expect(decodeCounts(stored)).toEqual({ 'shop.app.orders': 3 });
  });

  it('that passed keeps its rate, and no counts where nothing was counted', () => {
    const passed = { ...verification, result: 'passed', replayBytesPerSecond: 1000, reason: null } as const;
    const stored = encodeVerification(passed, {});
    expect(stored['holdfast-counts']).toBe('');
    const { 'holdfast-verification-reason': none, ...kept } = stored;
    expect(none).toBe('');
    expect(decodeVerification(kept)).toEqual(passed);
    const { 'holdfast-replay-rate': rate, ...unmeasured } = kept;
    expect(rate).toBe('1000');
    expect(decodeVerification(unmeasured)?.replayBytesPerSecond).toBeNull();
  });

  it('are arguments of pgBackRest', () => {
    expect(annotationArguments(encodeAnnotations({ changeId: 'c', requestedBy: 'ada' }))).toEqual([
      '--annotation=holdfast-change=c',
      '--annotation=holdfast-requested-by=ada',
    ]);
    expect(changeIdOf({})).toBeNull();
  });

  it('keep the largest of too many tables within one argument', () => {
    const counts = Object.fromEntries(
      Array.from({ length: 100_000 }, (_, index) => [`db.schema.${Math.sin(index)}`, index]),
    );
    const stored = encodeVerification(verification, counts);
    expect(Math.max(...Object.values(stored).map(value => value.length))).toBeLessThan(131_000);
    const kept = decodeCounts(stored)!;
    expect(Object.keys(kept).length).toBeGreaterThan(1000);
    expect(kept[`db.schema.${Math.sin(99_999)}`]).toBe(99_999);
  });

  it.each([{}, { 'holdfast-verification': 'passed' }, { 'holdfast-verification': 'maybe' }])(
    'are no verification when they are incomplete: %j',
    stored => {
      expect(decodeVerification(stored)).toBeNull();
    },
  );

  it('are no counts when they are damaged', () => {
    expect(decodeCounts({ 'holdfast-counts': '!!!' })).toBeNull();
    const nothing = deflateRawSync('null').toString('base64');
    expect(decodeCounts({ 'holdfast-counts': nothing })).toBeNull();
    expect(decodeCounts({})).toBeNull();
  });

  it('have no line breaks', () => {
    expect(encodeAnnotations({ changeId: 'a\nb', breakGlass: 'x\ty' })).toEqual({
      'holdfast-change': 'a b',
      'holdfast-break-glass': 'x y',
    });
  });
});

describe('progress', () => {
  it('reads the share from file lines, bundled or not, with brackets in the path', () => {
    const read = progressReader('restoring');
    const begin = '2026-11-25 09:54:42.316 P00   INFO: execute non-exclusive backup start';
    expect(read(begin)).toEqual({ fraction: null, step: 'starting the backup' });
    const line = (rest: string) => `2026-11-25 09:54:48.316 P02 DETAIL: restore file ${rest}`;
    expect(read(line('/a b/c (1)/16408 (42.9MB, 13.34%) checksum 58'))).toEqual({
      fraction: 0.1334,
      step: 'restoring files',
    });
    expect(read(line('/a/PG_VERSION (bundle 20261125-095442F/1/0, 3B, 53.34%) checksum 58'))?.fraction).toBe(
      0.5334,
    );
    expect(read(line('/a/PG_VERSION (3B, 53.34%) checksum 58'))).toBeNull();
    expect(read('2026-11-25 09:54:48.316 P00   INFO: restore global/pg_control (performed last)')).toEqual({
      fraction: 0.5334,
      step: 'syncing files',
    });
    expect(read('something else')).toBeNull();
  });
});

it('cuts what a terminal can’t show out of pgBackRest’s words', () => {
  expect(printable('größe at line 1: gk\u0000\ufffd!\nHINT: x')).toBe('größe at line 1: gk…\nHINT: x');
});

describe('the configuration file', () => {
  const paths = {
    dataDirectory: '/srv/with space/data',
    socketDirectory: '/run/x',
    repository: '/home/r',
    log: '/l',
    lock: '/k',
    spool: '/s',
  };

  function specification(backups: unknown): HostSpecification {
    const parsed = stack.parse({ environment: 'production', clusters: { shop: { backups } } });
    return {
      schema: 1,
      stack: 'holdfast/prod',
      environment: 'production',
      cluster: 'shop',
      settings: parsed.clusters.shop as HostClusterSettings,
      alerts: parsed.alerts,
    };
  }

  it('names the stanza like the cluster and never limits the queue of the archive', () => {
    const text = renderConfiguration(specification({}), paths, 5440, 8);
    expect(text).toContain('[shop]\npg1-path=/srv/with space/data\npg1-port=5440\npg1-socket-path=/run/x\n');
    expect(text).toContain('repo1-path=/home/r\n');
    expect(text).not.toContain('queue');
    expect(text).not.toContain('cipher');
    expect(renderConfiguration(specification({}), paths, 5440)).toMatch(/^process-max=\d+$/m);
  });

  it('has a second repository on S3, encrypted', () => {
    const text = renderConfiguration(
      specification({
        repositories: [
          { type: 'local', encryption: true, passphrase: 'local passphrase 1' },
          {
            type: 's3',
            bucket: 'shop-backups',
            endpoint: 's3.example.com',
            region: 'eu',
            key: 'AK',
            keySecret: 'SK',
            passphrase: 'remote passphrase 2',
          },
        ],
      }),
      paths,
      5440,
      2,
    );
    expect(text).toContain('repo1-cipher-pass=local passphrase 1\n');
    expect(text).toContain('repo2-type=s3\nrepo2-path=/holdfast\nrepo2-s3-bucket=shop-backups\n');
    expect(text).toContain('repo2-cipher-type=aes-256-cbc\nrepo2-cipher-pass=remote passphrase 2\n');
  });

  it('refuses a value that would become another one, without showing it', () => {
    const secret = 'sixteen letters\nrepo1-path=/etc';
    const valid = specification({});
    // The settings' schema refuses it too; this is the line of defence behind that.
    const repositories = [{ type: 'local', encryption: true, passphrase: secret } as const];
    const backups = { ...valid.settings.backups, repositories };
    expect(() =>
      renderConfiguration({ ...valid, settings: { ...valid.settings, backups } }, paths, 5440, 2),
    ).toThrow(/^repo1-cipher-pass of pgBackRest can't have line breaks/);
  });

  it('says where a repository is', () => {
    expect(repositoryLocation({ type: 'local', encryption: false }, paths)).toBe('/home/r');
    const s3 = {
      type: 's3',
      bucket: 'shop-backups',
      path: '/holdfast',
      endpoint: 's3.example.com',
      region: 'eu',
      uriStyle: 'host',
      key: 'AK',
      keySecret: 'SK',
      passphrase: 'remote passphrase 2',
    } as const;
    expect(repositoryLocation(s3, paths)).toBe('s3://shop-backups/holdfast at s3.example.com');
  });
});
