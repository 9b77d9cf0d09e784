import * as pulumi from '@pulumi/pulumi';
import { assertNoTakeover, withTakeoverHook } from '../../../components/existing';
import { ProtectedDatabase } from '../../../components/protected-database';
import type { Existing } from '../../../core/host-documents';
import { applied, contextOf, mockEngine, planOf, Recorder } from './support';

const hook = Object.create(pulumi.ResourceHook.prototype) as pulumi.ResourceHook;
const there = (type: Existing['type'], id: string): Existing => ({ type, id, conflict: null });
const inTheWay = (type: Existing['type'], id: string): Existing => ({
  type,
  id,
  conflict: { difference: `${id} is somebody’s`, remedy: [`alter ${type} "${id}";`] },
});
const settings = { databases: { shop: { applicationRoles: ['shop_app'], schemas: ['app', 'audit'] } } };
const planWith = (...existing: Existing[]) => planOf('production', 'main', settings, { existing });

async function madeOf(plan: ReturnType<typeof planWith>) {
  mockEngine({ stdout: JSON.stringify(applied('main', ['shop_app'])) });
  const recorder = new Recorder();
  new ProtectedDatabase('main', { plan, context: contextOf(plan) }, recorder.options);
  await recorder.done();
  return recorder.made;
}

describe('what a cluster has already', () => {
  it('is imported where it is as declared, and only there', async () => {
    const made = await madeOf(
      planWith(
        there('role', 'shop_app'),
        there('role', 'shop_owner'),
        there('role', 'shop_objects'),
        there('database', 'shop'),
        there('schema', 'shop.app'),
        inTheWay('schema', 'shop.audit'),
      ),
    );
    const imports = made.flatMap(({ name, options }) =>
      options.import === undefined ? [] : [[name, options.import]],
    );
    expect(imports).toEqual([
      ['main-catalog-shop_app', 'shop_app'],
      ['main-catalog-shop_owner', 'shop_owner'],
      ['main-catalog-shop_objects', 'shop_objects'],
      ['main-catalog-shop', 'shop'],
      ['main-catalog-shop-app', 'shop.app'],
    ]);
  });

  it('is not created where it isn’t: the hook hangs on what is in the way, first of all hooks', async () => {
    const other = () => undefined;
    const plan = planWith(
      there('role', 'shop_owner'),
      inTheWay('role', 'shop_app'),
      inTheWay('database', 'shop'),
      inTheWay('schema', 'shop.audit'),
    );
    const made = await madeOf(plan);
    const hung = made.flatMap(({ type, name }) => {
      const opts = { protect: true, hooks: { beforeCreate: [other] } };
      const result = withTakeoverHook(hook, [plan])({ type, name, custom: true, props: {}, opts });
      return result === undefined ? [] : [[`${type.split(':').at(-1)} ${name}`, result]];
    });
    const result = { props: {}, opts: { protect: true, hooks: { beforeCreate: [hook, other] } } };
    expect(hung).toEqual([
      ['Role main-catalog-shop_app', result],
      ['Database main-catalog-shop', result],
      ['Schema main-catalog-shop-audit', result],
    ]);
  });

  it('is named, all at once, with what hands it over', () => {
    const plans = [planWith(inTheWay('role', 'shop_app'), inTheWay('database', 'shop'), there('role', 'x'))];
    expect(() => assertNoTakeover(plans, 'main-catalog-shop')).toThrow(
      /^cluster main has already, but not as declared:\n {4}role shop_app: [^]*\n {4}database shop: shop is somebody’s\n[^]*Nothing was changed[^]*alter role "shop_app";\n {4}alter database "shop";$/,
    );
  });

  it('is no matter for anything else', () => {
    assertNoTakeover([planWith(inTheWay('role', 'shop_app'))], 'main-catalog-shop_owner');
  });
});
