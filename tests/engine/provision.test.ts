import { removeTempDirs } from '../support/temp';
import { createCluster } from '../support/host-cluster';

afterAll(removeTempDirs);

describe('apply of a managed cluster', () => {
  it('makes one that runs', async () => {
    const cluster = await createCluster();
    expect(cluster.outcome.changed).toEqual(['initialised', 'started', 'provider role']);
    expect(cluster.outcome.restartPending).toEqual([]);
    await cluster.drop();
  });
});
