import * as pulumi from '@pulumi/pulumi';
import { assertPresent, withPresenceHook } from '../../../components/presence-hook';
import { ProtectedDatabase } from '../../../components/protected-database';
import { applied, contextOf, mockEngine, planOf, Recorder } from './support';

const hook = Object.create(pulumi.ResourceHook.prototype) as pulumi.ResourceHook;
const known = planOf('production', 'shop', {}, { revision: 3 });
const lost = planOf('production', 'crm');

describe('the presence hook', () => {
  it('hangs on the Commands that carry the clusters, before an update and first of all hooks', async () => {
    const other = () => undefined;
    mockEngine({ stdout: JSON.stringify(applied('shop')) });
    const recorder = new Recorder();
    new ProtectedDatabase('shop', { plan: known, context: contextOf(known, true) }, recorder.options);
    await recorder.done();
    const hung = recorder.made.flatMap(({ type, name }) => {
      const opts = { protect: true, hooks: { beforeUpdate: [other] } };
      const result = withPresenceHook(hook, [known])({ type, name, custom: true, props: {}, opts });
      return result === undefined ? [] : [[name, result]];
    });
    expect(hung).toEqual([
      ['shop-cluster-apply', { props: {}, opts: { protect: true, hooks: { beforeUpdate: [hook, other] } } }],
    ]);
  });

  it('refuses an update of a cluster that its machine doesn’t know any more', () => {
    expect(() => assertPresent([known, lost], 'crm-cluster-apply')).toThrow(
      /cluster crm was applied before, and its machine knows nothing of it any more[^]*HOLDFAST_HOME/,
    );
  });

  it('lets through what is on record, and everything else', () => {
    assertPresent([known, lost], 'shop-cluster-apply');
    assertPresent([known, lost], 'crm-schedule-timer');
  });
});
