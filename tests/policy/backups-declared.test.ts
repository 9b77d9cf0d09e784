import type { RepositoryEvidence } from '../../core/evidence';
import { backupsDeclared } from '../../policy/rules/backups-declared';
import { onRds } from './support/aws';
import { judged, production, soundEvidence } from './support/fixtures';

const withBackups = (backups: object) => ({ ...production, clusters: { shop: { backups } } });

describe('backups-declared', () => {
  const elsewhere: RepositoryEvidence = {
    ...soundEvidence().repositories[0]!,
    id: '2',
    location: 's3://shop-backups',
    offMachine: true,
    encrypted: true,
  };
  const s3 = {
    type: 's3',
    bucket: 'shop-backups',
    endpoint: 's3.example.com',
    region: 'eu-1',
    key: 'key',
    keySecret: 'secret',
    passphrase: 'correct horse battery',
  };

  test('the defaults pass', async () => {
    expect(await judged(backupsDeclared)).toEqual([]);
  });

  test('schedules have to keep the maximum age of a backup', async () => {
    const raw = withBackups({ schedules: { differential: 'never' } });
    expect(await judged(backupsDeclared, { raw })).toEqual([
      'cluster shop: 7 d can pass between two scheduled backups; at most 26 h is allowed\n  fix: schedule them more often: backups.schedules.full, differential or incremental in the stack file',
    ]);
  });

  test('schedules have to keep the maximum age of a verification', async () => {
    const raw = withBackups({ schedules: { verification: '0 3 1 * *' } });
    expect((await judged(backupsDeclared, { raw }))[0]).toMatch(
      /30 d can pass between two scheduled verifications/,
    );
  });

  test('retention has to keep as many full backups as the pack demands', async () => {
    const violations = await judged(backupsDeclared, {}, { minimumFullBackups: 6 });
    expect(violations[0]).toMatch(
      /keeps 4 full backups; at least 6 are needed\n {2}fix: set backups.retention.full to 6/,
    );
  });

  test('a repository off the machine can be demanded', async () => {
    expect((await judged(backupsDeclared, {}, { requireOffMachine: true }))[0]).toContain('lost with it');
    const raw = withBackups({ repositories: [{ type: 'local' }, s3] });
    expect(await judged(backupsDeclared, { raw }, { requireOffMachine: true })).toEqual([]);
  });

  test('a repository off the machine has to be encrypted, as it is found to be', async () => {
    const found = (repository: RepositoryEvidence) => ({
      evidence: { shop: () => soundEvidence({ repositories: [repository] }) },
    });
    expect(await judged(backupsDeclared, found(elsewhere))).toEqual([]);
    const violations = await judged(backupsDeclared, found({ ...elsewhere, encrypted: false }));
    expect(violations[0]).toContain('repository 2 (s3://shop-backups) is off the machine and not encrypted');
  });

  test('what is declared is judged although the cluster can’t be reached', async () => {
    const evidence = {
      shop: () => {
        throw new Error('connection refused');
      },
    };
    const raw = withBackups({ schedules: { verification: '0 3 1 * *' } });
    expect(await judged(backupsDeclared, { raw, evidence })).toHaveLength(1);
  });

  test('what RDS keeps, and where, is not its business; when it takes snapshots is', async () => {
    const demanding = { minimumFullBackups: 30, requireOffMachine: true };
    const of = (cluster: object) => {
      const { environment, clusters } = onRds(cluster);
      return { raw: { environment, clusters: { shop: clusters.shop } } };
    };
    expect(await judged(backupsDeclared, of({}), demanding)).toEqual([]);
    const weekly = of({ backups: { schedules: { full: '30 1 * * 0' } } });
    expect((await judged(backupsDeclared, weekly, demanding))[0]).toContain('7 d can pass');
  });
});
