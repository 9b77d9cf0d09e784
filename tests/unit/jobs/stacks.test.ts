import fs from 'node:fs';
import path from 'node:path';
import { declaredClusters } from '../../../jobs/stacks';
import { removeTempDirs, tempDir } from '../../support/temp';

afterAll(removeTempDirs);

function project(files: Record<string, string>): string {
  const directory = tempDir();
  for (const [name, content] of Object.entries(files)) fs.writeFileSync(path.join(directory, name), content);
  return directory;
}

const prod = `
encryptionsalt: v1:abc
config:
  aws:region: eu-central-1
  holdfast:environment: production
  holdfast:alerts:
    webhook:
      secure: AAABAOpaque
  holdfast:clusters:
    shop:
      connection:
        type: ssh
        host: db1.example.com
        user: deploy
        privateKeyPath: /etc/holdfast/id
        hostKey: ssh-ed25519 AAAA
    books: {}
`;

test('the clusters of all stacks are found, with where they are', async () => {
  const directory = project({
    'Pulumi.yaml': 'name: shop\nruntime: nodejs\n',
    'Pulumi.prod.yaml': prod,
    'Pulumi.staging.yaml':
      'config:\n  holdfast:environment: staging\n  holdfast:clusters: { staging: {} }\n  holdfast:breakGlass: { reason: r }\n',
    'Pulumi.other.yaml': 'config:\n  other:key: value\n',
    'Pulumi.empty.yaml': '',
  });
  const clusters = await declaredClusters(directory);
  expect(
    clusters.map(({ name, stack, environment, place }) => [name, stack, environment, place.type]),
  ).toEqual(
    expect.arrayContaining([
      ['shop', 'prod', 'production', 'ssh'],
      ['books', 'prod', 'production', 'local'],
      ['staging', 'staging', 'staging', 'local'],
    ]),
  );
  expect(clusters).toHaveLength(3);
  expect(clusters.find(({ name }) => name === 'shop')?.place).toMatchObject({
    port: 22,
    home: '/var/lib/holdfast',
  });
  expect(clusters.find(({ name }) => name === 'staging')?.breakGlass).toEqual({ reason: 'r' });
});

test('what Pulumi.yaml sets counts where a stack says nothing', async () => {
  const directory = project({
    'Pulumi.yaml':
      'name: shop\nconfig:\n  holdfast:environment: staging\n  holdfast:clusters:\n    value: { shop: {} }\n  holdfast:x: { default: 1 }\n',
    'Pulumi.one.yaml': 'config: {}\n',
    'Pulumi.two.yaml': 'config:\n  holdfast:environment: production\n',
  });
  const clusters = await declaredClusters(directory);
  expect(clusters.map(({ stack, environment }) => [stack, environment]).sort()).toEqual([
    ['one', 'staging'],
    ['two', 'production'],
  ]);
});

test('outside a project there are none', async () => {
  expect(await declaredClusters(project({ 'Pulumi.prod.yaml': prod }))).toEqual([]);
  expect(await declaredClusters('/nowhere/at/all')).toEqual([]);
});

test.each([
  ['that is no YAML', 'config: [', /Pulumi\.prod\.yaml can’t be read/],
  ['without an environment', 'config:\n  holdfast:clusters: { shop: {} }\n', /holdfast:environment/],
  [
    'with a connection without its host key',
    prod.replace('hostKey: ssh-ed25519 AAAA', 'port: 22'),
    /holdfast:clusters\.shop\.connection\.hostKey/,
  ],
])('a stack file %s is an error that names it', async (_, content, message) => {
  const directory = project({ 'Pulumi.yaml': 'name: shop\n', 'Pulumi.prod.yaml': content });
  await expect(declaredClusters(directory)).rejects.toMatchObject({
    code: 'configuration',
    message: expect.stringMatching(message) as string,
  });
});

test('a cluster on Amazon RDS is where its region says', async () => {
  const directory = project({
    'Pulumi.yaml': 'name: shop\n',
    'Pulumi.prod.yaml':
      'config:\n  holdfast:environment: production\n  holdfast:clusters:\n    shop: { engine: rds, region: eu-central-1 }\n',
  });
  expect(await declaredClusters(directory)).toMatchObject([
    { name: 'shop', place: { type: 'aws', region: 'eu-central-1' } },
  ]);
});
