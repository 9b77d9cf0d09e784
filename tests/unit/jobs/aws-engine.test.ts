import { awsEngine } from '../../../jobs/rds/engine';
import { placeOf } from '../../../jobs/where';
import { parseStack } from '../../../core/settings/parse';

afterEach(() => {
  Reflect.deleteProperty(globalThis, 'HOLDFAST_PROGRAM_KIND');
});

test('the program for machines says that it can’t ask AWS', async () => {
  Object.assign(globalThis, { HOLDFAST_PROGRAM_KIND: 'machine' });
  await expect(awsEngine()).rejects.toMatchObject({
    code: 'configuration',
    message: 'this program looks after clusters on machines only',
  });
});

test('the other ones can', async () => {
  Object.assign(globalThis, { HOLDFAST_PROGRAM_KIND: 'aws' });
  expect(await awsEngine()).toHaveProperty('openRdsEngine');
});

test('a cluster is looked after on its machine, or on AWS', () => {
  const shop = { engine: 'rds', instance: 'shop-db', region: 'eu-central-1', source: { mode: 'existing' } };
  const { clusters } = parseStack({ environment: 'production', clusters: { shop, crm: {} } });
  expect(placeOf(clusters.shop!)).toEqual({ type: 'aws', region: 'eu-central-1' });
  expect(placeOf(clusters.crm!)).toEqual({ type: 'local' });
});
