import { parseStack } from '../../../../core/settings/parse';
import { isHost, isRds, ofEngine, parseSpecification } from '../../../../core/specification';

const shop = { engine: 'rds', instance: 'shop-db', region: 'eu-central-1', source: { mode: 'existing' } };
const errorsOf = (clusters: object): string => {
  try {
    parseStack({ environment: 'production', clusters });
    return '';
  } catch (error) {
    return (error as Error).message;
  }
};

function specificationOf(cluster: object) {
  const { clusters, alerts } = parseStack({ environment: 'production', clusters: { shop: cluster } });
  const settings = clusters.shop!;
  return {
    schema: 1,
    stack: 'shop/prod',
    environment: 'production',
    cluster: 'shop',
    settings,
    alerts,
  } as const;
}

test('a cluster that doesn’t say its engine is one on a machine', () => {
  expect(specificationOf({}).settings.engine).toBe('host');
});

test('an engine that there isn’t is told with those that there are', () => {
  expect(errorsOf({ shop: { engine: 'rsd' } })).toContain(
    'holdfast:clusters.shop.engine: must be host or rds, not "rsd"',
  );
});

test('what a cluster on RDS promises is what RDS can keep', () => {
  expect(errorsOf({ shop: { ...shop, backups: { rpo: '5 min' } } })).toContain(
    'clusters.shop.backups.rpo: RDS can’t keep less than 10 min',
  );
  expect(errorsOf({ shop: { ...shop, backups: { schedules: { differential: '0 1 * * *' } } } })).toContain(
    'clusters.shop.backups.schedules.differential: must be never',
  );
});

test('a specification is read back as it was written, whatever runs the cluster', () => {
  for (const cluster of [{}, shop]) {
    const written = specificationOf(cluster);
    expect(parseSpecification(JSON.parse(JSON.stringify(written)))).toEqual(written);
  }
});

test('what is wrong with one is said in the words of its engine', () => {
  const { settings, ...rest } = specificationOf(shop);
  const broken = { ...rest, settings: { ...settings, region: 7, waitUpTo: 'long' } };
  expect(() => parseSpecification(broken)).toThrow(/settings\.region: must be text/);
});

test('a specification of another engine than a job is for is refused', () => {
  expect(ofEngine(specificationOf(shop), isRds, 'rds').settings.instance).toBe('shop-db');
  expect(() => ofEngine(specificationOf(shop), isHost, 'host')).toThrow(
    'cluster shop is declared with engine rds, and this is for engine host only',
  );
});
