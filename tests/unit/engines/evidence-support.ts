import fs from 'node:fs';
import path from 'node:path';
import type { HostContext } from '../../../engines/host/context';
import { evidence } from '../../../engines/host/evidence';
import { controlData } from '../../../engines/host/clone/control-data';
import { runningPostmaster } from '../../../engines/host/postgres/data-directory';
import type { ClusterRecord } from '../../../engines/host/record';
import { withServer } from '../../../engines/host/session';
import {
  archived,
  filesOf,
  firstLabel,
  hostContext,
  infoOf,
  listedSet,
  manifestOf,
  repositoryIs,
  segment,
  serverFacts,
} from './facts';

/*
 * A cluster whose server, files and repository say what a test makes them say. tests/engine/evidence.test.ts has real ones.
 */

jest.mock('../../../engines/host/session', () => ({
  ...jest.requireActual<object>('../../../engines/host/session'),
  withServer: jest.fn(),
}));
jest.mock('../../../engines/host/postgres/data-directory', () => ({
  ...jest.requireActual<object>('../../../engines/host/postgres/data-directory'),
  runningPostmaster: jest.fn(),
}));
jest.mock('../../../engines/host/clone/control-data', () => ({ controlData: jest.fn() }));

/** What the engine asks beside the server itself. */
export const asked = {
  runningPostmaster: jest.mocked(runningPostmaster),
  controlData: jest.mocked(controlData),
};

export const own = '7300000000000000001';
export const record: ClusterRecord = {
  schema: 1,
  cluster: 'shop',
  environment: 'production',
  mode: 'managed',
  phase: 'established',
  systemIdentifier: own,
  dataDirectory: '/srv/data',
  pgVersion: 15,
  port: 5440,
  revision: 1,
  createdAt: '2026-01-01T00:00:00.000Z',
  appliedAt: '2026-01-01T00:00:00.000Z',
  establishedAt: '2026-01-01T00:00:00.000Z',
  archivingBefore: null,
};
/** The only set of a repository that is in order. */
export const set = listedSet();
export const sound = {
  info: infoOf([set]),
  archive: { [archived(segment(2))]: 1 },
  backup: filesOf(set),
  contents: { [`backup/shop/${firstLabel}/backup.manifest`]: manifestOf(set) },
};

/** The server answers with these facts; what is an error is thrown. */
export function answers(
  facts: Parameters<typeof serverFacts>[0] | Error,
  access: object[] | Error = [],
): void {
  jest.mocked(withServer).mockImplementation(async (_server, _database, use) => {
    if (facts instanceof Error) throw facts;
    const { lsn, ...row } = serverFacts(facts);
    return use({
      query: sql => {
        if (sql.includes('pg_hba_file_rules'))
          return access instanceof Error ? Promise.reject(access) : Promise.resolve(access as never[]);
        const found = sql.includes('pg_control_system')
          ? { ...row, lsn: lsn === null ? null : `0/${lsn.toString(16).toUpperCase()}` }
          : { ssl: 'off', listen: '127.0.0.1, ::1' };
        return Promise.resolve([found] as never[]);
      },
    });
  });
}

/** A cluster whose data, configuration and repository are in order. */
export function cluster(settings: Readonly<Record<string, unknown>> = {}): HostContext {
  const installation = () => Promise.resolve({ version: 15, bin: '/nowhere', release: '15.8' });
  const context = hostContext(settings, { installation });
  const { dataDirectory, socketDirectory, configuration } = context.paths;
  const head = Buffer.alloc(12);
  head.writeBigUInt64LE(BigInt(own));
  head.writeUInt32LE(1300, 8);
  for (const directory of [
    path.join(dataDirectory, 'global'),
    path.join(dataDirectory, 'pg_wal/archive_status'),
  ])
    fs.mkdirSync(directory, { recursive: true });
  fs.mkdirSync(socketDirectory, { recursive: true, mode: 0o700 });
  fs.writeFileSync(path.join(dataDirectory, 'global', 'pg_control'), head);
  fs.mkdirSync(path.dirname(configuration), { recursive: true });
  // It names no directory of a repository, so pgBackRest is asked for what lies in it.
  fs.writeFileSync(configuration, '');
  return context;
}

export { evidence };

export const read = (context: HostContext, known: ClusterRecord | null = record) =>
  evidence(context, { record: known, problem: null });
export const problems = async (...from: Parameters<typeof read>) =>
  (await read(...from)).problems.map(({ what }) => what);

/** As it is before every test. */
export function allIsInOrder(): void {
  asked.runningPostmaster.mockResolvedValue(null);
  asked.controlData.mockResolvedValue({ segmentBytes: 16 * 1024 * 1024 } as never);
  answers({});
  repositoryIs(sound);
}
