import { GetParametersByPathCommand } from '@aws-sdk/client-ssm';
import { keepDatabases } from '../../engines/rds/catalog/catalog';
import { ensureCredentials } from '../../engines/rds/catalog/credentials';
import { connectorTo, logsIn } from '../../engines/rds/session';
import { freePort } from '../support/ports';
import { contextOf, createInstance, useAws } from './support';

/* What goes wrong with what is declared inside an instance, before PostgreSQL is asked for anything. */

const aws = useAws();

const shop = { schemas: ['app'], applicationRoles: ['shop_app'], readOnlyRoles: [], extensions: [] };

test('databases that are declared and can’t be reached from here are left as they are', async () => {
  const context = contextOf();
  const instance = await createInstance(context);
  expect(await keepDatabases(context, instance, { databases: { shop }, reach: undefined })).toEqual([]);
});

test('whether a password is right isn’t known of a server that doesn’t answer', async () => {
  const context = contextOf();
  const connect = await connectorTo(context, await createInstance(context, { Port: await freePort() }));
  await expect(logsIn(connect, { username: 'shop_app', password: 'x' })).rejects.toMatchObject({
    code: 'engine-failed',
    message: expect.stringContaining('PostgreSQL does not answer') as string,
  });
});

describe('passwords', () => {
  const kept = async () => {
    const query = new GetParametersByPathCommand({ Path: '/holdfast-credentials/shop/' });
    return (await contextOf().ssm.send(query)).Parameters!.map(({ Name }) => Name);
  };

  test('that may not be written are not given to anybody', async () => {
    aws.refuse(/^PutParameter$/, 'AccessDeniedException');
    await expect(ensureCredentials(contextOf(), ['shop_app'])).rejects.toMatchObject({
      code: 'configuration',
      message: expect.stringContaining(
        'writing /holdfast-credentials/shop/shop_app failed: AWS denies it',
      ) as string,
    });
    expect(await kept()).toEqual([]);
  });

  test('that another update wrote meanwhile count', async () => {
    const first = await ensureCredentials(contextOf(), ['shop_app']);
    aws.rewrite(/^GetParametersByPath$/, () => JSON.stringify({ Parameters: [] }), 1);
    expect(await ensureCredentials(contextOf(), ['shop_app'])).toEqual(first);
  });

  test('that don’t arrive where they were written are an error', async () => {
    aws.rewrite(/^GetParametersByPath$/, () => JSON.stringify({ Parameters: [] }));
    await expect(ensureCredentials(contextOf(), ['shop_app'])).rejects.toMatchObject({
      code: 'engine-failed',
      message: 'the passwords that were just written aren’t there',
    });
  });
});
