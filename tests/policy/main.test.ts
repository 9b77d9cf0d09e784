import fs from 'node:fs';
import path from 'node:path';
import * as sdk from '@pulumi/policy';
import { getConfig, setAllConfig, setConfig } from '@pulumi/pulumi/runtime/config';
import * as hostCalls from '../../jobs/host-calls';
import { main } from '../../policy/main';
import * as pulumi from '@pulumi/pulumi/runtime/settings';
import { removeTempDirs, tempDir } from '../support/temp';
import { soundEvidence } from './support/fixtures';

jest.mock('@pulumi/policy', () => ({
  ...jest.requireActual<typeof sdk>('@pulumi/policy'),
  PolicyPack: jest.fn(),
}));

/* Pulumi's server is replaced by what it does with the policies; the rest is as the engine starts a pack. */

const environment = { ...process.env };
afterEach(() => {
  jest.restoreAllMocks();
  process.env = { ...environment };
  setAllConfig({});
});
afterAll(removeTempDirs);

/** What the pack that `main` served says of the stack's root resource, by rule. */
async function served(sources: object): Promise<Record<string, string[]>> {
  const pack = sdk.PolicyPack as unknown as jest.Mock<void, [string, sdk.PolicyPackArgs]>;
  pack.mockClear();
  main();
  const [name, { policies, enforcementLevel }] = pack.mock.calls[0]!;
  expect([name, enforcementLevel]).toEqual(['holdfast', 'mandatory']);
  const said: Record<string, string[]> = {};
  for (const policy of policies as sdk.ResourceValidationPolicy[]) {
    const getConfig = () => (policy.name === 'evidence-known' ? { sources } : {});
    const args = { type: 'pulumi:pulumi:Stack', getConfig } as unknown as sdk.ResourceValidationArgs;
    await (policy.validateResource as sdk.ResourceValidation)(args, message =>
      (said[policy.name] ??= []).push(message),
    );
  }
  return said;
}

test('the pack judges the stack that the engine names, by its configuration and its file', async () => {
  const directory = tempDir();
  const evidence = path.join(directory, 'evidence.json');
  fs.writeFileSync(evidence, JSON.stringify(soundEvidence({}, new Date().toISOString())));
  fs.writeFileSync(path.join(directory, 'Pulumi.yaml'), 'name: shop\nruntime: nodejs\n');
  fs.writeFileSync(
    path.join(directory, 'Pulumi.prod.yaml'),
    'config:\n  holdfast:alerts:\n    webhook: https://hooks.example.com/T0\n',
  );
  Object.assign(process.env, { PULUMI_NODEJS_PROJECT: 'shop', PULUMI_NODEJS_STACK: 'prod', PWD: directory });
  setConfig('holdfast:environment', 'production');
  setConfig('holdfast:clusters', '{"shop":{}}');
  setConfig('holdfast:alerts', '{"webhook":"https://hooks.example.com/T0"}');
  setConfig('other:environment', 'staging');
  expect(getConfig('other:environment')).toBe('staging');

  const said = await served({ shop: { type: 'command', command: ['cat', evidence] } });
  expect(said).toEqual({
    'secrets-are-secret': [
      expect.stringContaining(`in clear in ${path.join(directory, 'Pulumi.prod.yaml')}`),
    ],
  });

  delete process.env.PWD;
  expect(await served({ shop: { type: 'command', command: ['cat', evidence] } })).toEqual({
    'secrets-are-secret': [expect.stringContaining('of the project shop was not found')],
  });
});

test.each([
  ['preview', true],
  ['update', false],
])('what it decides in a change’s %s is in the audit log of the cluster', async (operation, dryRun) => {
  const home = tempDir();
  fs.mkdirSync(path.join(home, 'clusters', 'shop'), { recursive: true });
  Object.assign(process.env, {
    HOLDFAST_HOME: home,
    PULUMI_NODEJS_PROJECT: 'shop',
    PULUMI_NODEJS_STACK: 'prod',
  });
  jest.spyOn(pulumi, 'isDryRun').mockReturnValue(dryRun);
  setConfig('holdfast:environment', 'production');
  setConfig('holdfast:clusters', '{"shop":{}}');
  jest.spyOn(hostCalls, 'readEvidence').mockRejectedValue(new Error('no route'));
  expect(Object.keys(await served({}))).toContain('evidence-known');
  const line = fs.readFileSync(path.join(home, 'clusters', 'shop', 'audit.jsonl'), 'utf8');
  expect(JSON.parse(line)).toMatchObject({
    what: `gate of ${operation} of shop/prod`,
    outcome: 'refused',
    detail: expect.stringContaining('no route') as string,
  });
});

test('the pack can be described without a stack, as when it is published', () => {
  expect(main).not.toThrow();
});
