import * as pulumi from '@pulumi/pulumi';
import type { StackPlan } from '../../../components/read-stack';
import { once, snapshotBeforeChange, withHook } from '../../../components/snapshot-hook';
import { HoldfastError } from '../../../core/errors';
import type { SnapshotRequest, SnapshotResult } from '../../../core/host-documents';
import { contextOf, planOf } from './support';

const log = {
  info: jest.spyOn(pulumi.log, 'info').mockResolvedValue(),
  warn: jest.spyOn(pulumi.log, 'warn').mockResolvedValue(),
};
beforeEach(() => jest.clearAllMocks());

const hook = Object.create(pulumi.ResourceHook.prototype) as pulumi.ResourceHook;

const transform = (type: string, custom = true, opts: pulumi.ResourceOptions = {}) =>
  withHook(hook)({ type, name: 'r', custom, props: { given: true }, opts });

function stackOf(names: readonly string[], dryRun = false): StackPlan {
  const plans = names.map(name => planOf('production', name));
  return {
    context: contextOf(plans[0]!, dryRun),
    specifications: plans.map(({ specification }) => specification),
    breakGlass: { state: 'none' },
    change: 'holdfast/prod@2026-01-02T03:04:05.000Z',
  };
}

const done = ({ cluster }: SnapshotRequest): Promise<SnapshotResult> =>
  Promise.resolve({ cluster, message: 'marked', warnings: [] });

describe('the snapshot hook', () => {
  it.each([
    'command:local:Command',
    'command:remote:Command',
    'postgresql:index/database:Database',
    'postgresql:index/role:Role',
    'postgresql:index/schema:Schema',
    'postgresql:index/grant:Grant',
    'aws:rds/instance:Instance',
    'aws:rds/parameterGroup:ParameterGroup',
  ])('hangs on %s before it is made or changed', type => {
    expect(transform(type)).toEqual({
      props: { given: true },
      opts: { hooks: { beforeCreate: [hook], beforeUpdate: [hook] } },
    });
  });

  it('leaves hooks that are there, and other options', async () => {
    const other = () => undefined;
    const result = await transform('command:local:Command', true, {
      protect: true,
      hooks: { beforeCreate: [other], afterUpdate: [other] },
    });
    expect(result?.opts).toEqual({
      protect: true,
      hooks: { beforeCreate: [other, hook], beforeUpdate: [hook], afterUpdate: [other] },
    });
  });

  it('hangs on nothing that holds no data', () => {
    expect(transform('pulumi:providers:postgresql')).toBeUndefined();
    expect(transform('command:remote:CopyToRemote')).toBeUndefined();
    expect(transform('holdfast:host:HostCluster', false)).toBeUndefined();
  });

  it('runs once, however many steps wait for it', async () => {
    const run = jest.fn(() => Promise.resolve());
    const before = once(run);
    await Promise.all([before(), before(), before()]);
    await before();
    expect(run).toHaveBeenCalledTimes(1);
  });

  it('blocks every step when it failed, the later ones too', async () => {
    const run = jest.fn(() => Promise.reject(new Error('no')));
    const before = once(run);
    await expect(before()).rejects.toThrow('no');
    await expect(before()).rejects.toThrow('no');
    expect(run).toHaveBeenCalledTimes(1);
  });
});

describe('a snapshot before a change', () => {
  it('is made of every cluster of the stack, with the id of the change', async () => {
    const snapshot = jest.fn(done);
    await snapshotBeforeChange(stackOf(['one', 'two']), snapshot);
    expect(snapshot.mock.calls.map(([request]) => [request.cluster, request.change, request.dryRun])).toEqual(
      [
        ['one', 'holdfast/prod@2026-01-02T03:04:05.000Z', false],
        ['two', 'holdfast/prod@2026-01-02T03:04:05.000Z', false],
      ],
    );
    expect(log.info).toHaveBeenCalledWith('two: before this change: marked');
  });

  it('in a preview only says what it would do', async () => {
    const snapshot = jest.fn(done);
    await snapshotBeforeChange(stackOf(['one'], true), snapshot);
    expect(snapshot.mock.calls[0]?.[0].dryRun).toBe(true);
  });

  it('warns of what break-glass waived', async () => {
    await snapshotBeforeChange(stackOf(['one']), ({ cluster }) =>
      Promise.resolve({ cluster, message: 'nothing was done', warnings: ['WAL is not archived'] }),
    );
    expect(log.warn).toHaveBeenCalledWith('one: WAL is not archived');
  });

  it('that fails blocks the change, and says why and what to do', async () => {
    const failure = new HoldfastError('refused', 'WAL is not archived', { hint: 'see holdfast status' });
    const change = snapshotBeforeChange(stackOf(['one', 'two']), request =>
      request.cluster === 'two' ? Promise.reject(failure) : done(request),
    );
    await expect(change).rejects.toMatchObject({
      message: 'two: no snapshot, so nothing was changed: WAL is not archived\n  → see holdfast status',
    });
  });

  it('shows its progress, but not the error that the program prints as JSON', async () => {
    await snapshotBeforeChange(stackOf(['one']), (request, { onLine }) => {
      onLine?.('marking the restore point');
      onLine?.('{"error":{}}');
      return done(request);
    });
    expect(log.info.mock.calls.map(([line]) => line)).toEqual([
      'one: marking the restore point',
      'one: before this change: marked',
    ]);
  });
});
