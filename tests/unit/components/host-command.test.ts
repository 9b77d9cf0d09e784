import * as pulumi from '@pulumi/pulumi';
import { BackupSchedule } from '../../../components/backup-schedule';
import { HostCluster } from '../../../components/host-cluster';
import type { Applied, Inspection } from '../../../core/host-documents';
import { ProductionSeal } from '../../../components/production-seal';
import { applied, contextOf, mockEngine, natureOf, planOf, Recorder } from './support';

const ssh = {
  type: 'ssh',
  host: 'db1.example.com',
  port: 2222,
  user: 'deploy',
  privateKeyPath: __filename,
  hostKey: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA==',
};

async function cluster(
  environment: 'production' | 'staging',
  settings: object = {},
  found: Partial<Inspection<Applied>> = {},
) {
  const given = mockEngine({ stdout: JSON.stringify(applied('main')) });
  const plan = planOf(environment, 'main', settings, found);
  const context = contextOf(plan);
  const recorder = new Recorder();
  const made = new HostCluster('c', { plan, context }, recorder.options);
  new BackupSchedule('s', { plan, context }, recorder.options);
  await recorder.done();
  return { made, recorder, apply: given.get('c-apply')!, timer: given.get('s-timer')!, given };
}

describe('the command of a cluster', () => {
  it('on this machine runs the checkout’s program with the specification on standard input', async () => {
    const { apply } = await cluster('production');
    expect(apply.create).toBe("exec node bin/holdfast.mjs host apply --home '/home of holdfast'");
    expect(apply.environment).toEqual({ HOLDFAST_PROGRAM: 'abc123', HOLDFAST_REVISION: '1' });
    expect(JSON.parse(apply.stdin as string)).toMatchObject({
      revision: 1,
      specification: { schema: 1, stack: 'holdfast/test', environment: 'production', cluster: 'main' },
    });
  });

  it('is never replaced: it has no triggers, and no update of its own', async () => {
    const { apply } = await cluster('production');
    expect(Object.keys(apply).sort()).toEqual([
      'addPreviousOutputInEnv',
      'create',
      'environment',
      'logging',
      'stdin',
    ]);
  });

  it('prints nothing and keeps all it prints and reads secret', async () => {
    const { made, apply, recorder } = await cluster('production');
    expect(apply.logging).toBe('none');
    expect(apply.addPreviousOutputInEnv).toBe(false);
    const { options } = recorder.made.find(({ name }) => name === 'c-apply')!;
    expect(options.additionalSecretOutputs).toEqual(['stdout', 'stderr']);
    expect((await natureOf(made.command.stdin as pulumi.Output<unknown>)).secret).toBe(true);
    expect((await natureOf(made.applied)).secret).toBe(true);
  });

  it('removes nothing in production', async () => {
    const { apply, timer } = await cluster('production');
    expect(apply.delete).toBeUndefined();
    expect(timer.delete).toBeUndefined();
  });

  it('in staging is deleted by the installed program, which needs no checkout', async () => {
    const { apply, timer } = await cluster('staging');
    expect(apply.delete).toBe(
      "exec node '/home of holdfast/program/holdfast.cjs' host remove --home '/home of holdfast'",
    );
    expect(timer.delete).toBe(
      "exec node '/home of holdfast/program/holdfast.cjs' host unschedule --home '/home of holdfast'",
    );
  });

  it('keeps its revision while the host is as it was applied', async () => {
    const { apply } = await cluster('production', {}, { provisioned: true, revision: 4 });
    expect(apply.environment).toMatchObject({ HOLDFAST_REVISION: '4' });
  });

  it('raises its revision, and the timer’s, when something on the host was changed by hand', async () => {
    const drift = [{ what: 'settings.work_mem', expected: '4MB', found: '8MB' }];
    const { apply, timer } = await cluster('production', {}, { provisioned: true, revision: 4, drift });
    expect(apply.environment).toMatchObject({ HOLDFAST_REVISION: '5' });
    expect(timer.environment).toMatchObject({ HOLDFAST_REVISION: '5' });
    expect(JSON.parse(apply.stdin as string)).toMatchObject({ revision: 5 });
  });

  it('over SSH shows its labels in the command line, because sshd passes no environment on', async () => {
    const { apply, given } = await cluster('staging', { connection: { ...ssh, sudoUser: 'root' } });
    expect(apply.create).toBe(
      'HOLDFAST_PROGRAM=abc123 HOLDFAST_REVISION=1 sudo -n -u root -- node .holdfast/holdfast.cjs host apply --home /var/lib/holdfast',
    );
    expect(apply.delete).toBe(
      'sudo -n -u root -- node /var/lib/holdfast/program/holdfast.cjs host remove --home /var/lib/holdfast',
    );
    expect(apply.environment).toBeUndefined();
    expect(apply.connection).toMatchObject({
      host: 'db1.example.com',
      port: 2222,
      user: 'deploy',
      hostKey: ssh.hostKey,
    });
    expect(given.get('c-directory')).toMatchObject({ create: 'mkdir -p .holdfast' });
    expect(given.get('c-program')).toMatchObject({ remotePath: '.holdfast/holdfast.cjs' });
  });

  it('names the private key that can’t be read', async () => {
    await expect(
      cluster('staging', { connection: { ...ssh, privateKeyPath: '/nonexistent/key' } }),
    ).rejects.toThrow("the private key for db1.example.com can't be read");
  });
});

describe('the production seal', () => {
  it('is one protected resource for each cluster, which depends on everything and asks on deletion', async () => {
    const given = mockEngine();
    const one = planOf('production', 'one').specification;
    const two = planOf('production', 'two').specification;
    const recorder = new Recorder();
    const everything = new pulumi.ComponentResource('test:index:All', 'everything', {}, recorder.options);
    new ProductionSeal(
      'seal',
      { specifications: [one, two], context: contextOf(planOf('production', 'one')) },
      { ...recorder.options, dependsOn: [everything] },
    );
    await recorder.done();
    expect(recorder.lines()).toEqual([
      'test:index:All everything',
      'holdfast:index:ProductionSeal seal after everything',
      'command:local:Command seal-one in seal after everything, protected',
      'command:local:Command seal-two in seal after everything, protected',
    ]);
    expect(given.get('seal-two')).toMatchObject({
      delete: "exec node '/home of holdfast/program/holdfast.cjs' host seal --home '/home of holdfast'",
      stdin: JSON.stringify({ cluster: 'two' }),
    });
    expect(given.get('seal-two')?.create).toBeUndefined();
  });
});
