import fs from 'node:fs';
import path from 'node:path';
import { HoldfastError } from '../../../core/errors';
import { becomeOwner } from '../../../engines/host/owner';
import { apply } from '../../../engines/host/provision/apply';
import { keepDatabases } from '../../../engines/host/provision/databases';
import { inspect } from '../../../engines/host/provision/inspect';
import { openSpecified, readSpecification } from '../../../jobs/context';
import { applyCluster, inspectHere, keepDatabasesOf } from '../../../jobs/provision';
import { removeTempDirs, tempDir } from '../../support/temp';
import { fakeCluster, quietWatch, specification } from './fake-engine';

jest.mock('../../../engines/host/owner', () => ({ becomeOwner: jest.fn() }));
jest.mock('../../../engines/host/provision/apply', () => ({ apply: jest.fn() }));
jest.mock('../../../engines/host/provision/inspect', () => ({ inspect: jest.fn() }));
jest.mock('../../../engines/host/provision/databases', () => ({ keepDatabases: jest.fn() }));
jest.mock('../../../jobs/context', () => ({
  ...jest.requireActual<object>('../../../jobs/context'),
  readSpecification: jest.fn(),
  openSpecified: jest.fn(),
}));
jest.mock('../../../jobs/program', () => ({ ownProgram: () => ({ file: '/p', hash: '' }) }));

afterAll(removeTempDirs);

const request = { specification: specification(), revision: 1 };
const outcome = (changes: object) =>
  jest.mocked(apply).mockImplementation((_, { report }) => {
    report('working');
    return Promise.resolve({ changed: [], restartPending: [], applied: { port: 1 }, ...changes } as never);
  });

test('an apply says what waits for a restart that isn’t allowed', async () => {
  outcome({ restartPending: ['shared_buffers', 'wal_level'] });
  const home = tempDir();
  fs.mkdirSync(path.join(home, 'clusters', 'shop'), { recursive: true });
  const watch = quietWatch();
  expect(await applyCluster(home, request, watch)).toEqual({ port: 1 });
  expect(watch.steps).toEqual([
    'working',
    "waiting for a restart, which source.allowRestart doesn't allow: shared_buffers, wal_level",
  ]);
  outcome({ changed: ['port'] });
  const quiet = quietWatch();
  await applyCluster(home, request, quiet);
  expect(quiet.steps).toEqual(['working']);
});

test('what was changed in the databases is on the audit log', async () => {
  const cluster = fakeCluster();
  jest.mocked(readSpecification).mockResolvedValue(specification());
  jest.mocked(openSpecified).mockResolvedValue(cluster);
  const keep = jest.mocked(keepDatabases);
  keep.mockResolvedValueOnce(['owner of shop']).mockResolvedValueOnce([]);
  expect(await keepDatabasesOf('/srv', 'shop', quietWatch())).toEqual(['owner of shop']);
  expect(await keepDatabasesOf('/srv', 'shop', quietWatch())).toEqual([]);
  const details = cluster.engine.memory.audit.map(({ detail }) => detail);
  expect(details).toEqual(['owner of shop', 'nothing to change']);
});

test('a machine on which the owner doesn’t exist yet is looked at all the same; nothing else is overlooked', async () => {
  jest.mocked(inspect).mockResolvedValue({ provisioned: false } as never);
  const owner = jest.mocked(becomeOwner);
  owner.mockImplementationOnce(() => {
    throw new HoldfastError('configuration', 'there is no user postgres');
  });
  expect(await inspectHere('/srv', specification())).toEqual({ provisioned: false });
  for (const error of [new HoldfastError('engine-failed', 'EPERM'), new Error('EPERM')]) {
    owner.mockImplementationOnce(() => {
      throw error;
    });
    await expect(inspectHere('/srv', specification())).rejects.toBe(error);
  }
});
