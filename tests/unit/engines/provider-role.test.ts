import { planCatalog } from '../../../core/catalog';
import { handOverRoles } from '../../../engines/rds/catalog/provider-role';
import type { Reached } from '../../../engines/rds/catalog/reach';

// As PostgreSQL 16 and later answer, none of which the other tests have: only what is asked and said to them is shown here.
function answering(names: readonly string[], refuse = false): { said: string[]; reached: Reached } {
  const said: string[] = [];
  const query = (sql: string): Promise<never[]> => {
    if (sql.startsWith('select')) return Promise.resolve(names.map(name => ({ name })) as never[]);
    said.push(sql);
    return refuse ? Promise.reject(new Error('permission denied to grant role')) : Promise.resolve([]);
  };
  const reached: Pick<Reached, 'open'> = { open: (_, use) => use({ query }) };
  return { said, reached: reached as Reached };
}

const plans = planCatalog({
  shop: { schemas: ['app'], extensions: [], applicationRoles: ['shop_app'], readOnlyRoles: [] },
});

test('roles that the provider may not grant are handed over to it', async () => {
  const { said, reached } = answering(['shop_objects', 'shop_owner']);
  await handOverRoles(reached, plans);
  expect(said).toEqual([
    'grant "shop_objects" to holdfast_provider with admin option',
    'grant "shop_owner" to holdfast_provider with admin option',
  ]);
});

test('a role that the master user has no say over is refused, with what its maker has to run', async () => {
  const { reached } = answering(['shop_owner'], true);
  await expect(handOverRoles(reached, plans)).rejects.toMatchObject({
    code: 'refused',
    message: expect.stringContaining('permission denied to grant role') as string,
    hint: expect.stringContaining('grant "shop_owner" to holdfast_provider with admin option;') as string,
  });
});
