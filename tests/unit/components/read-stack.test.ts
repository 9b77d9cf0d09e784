import * as pulumi from '@pulumi/pulumi';
import { readStack } from '../../../components/read-stack';
import { readSettings } from '../../../components/settings';
import { embeddedPassphrase } from '../../../jobs/embedded';
import { mockEngine } from './support';

jest.mock('../../../jobs/program', () => ({ ownProgram: () => ({ file: '/p.cjs', hash: 'abc' }) }));

const configuration = {
  'holdfast:environment': 'production',
  'holdfast:clusters': JSON.stringify({ main: {}, other: {} }),
  'aws:region': 'eu-central-1',
};

describe('the settings of a stack', () => {
  it('are what is under holdfast:, and nothing of other namespaces', () => {
    const { environment, clusters } = readSettings(configuration);
    expect(environment).toBe('production');
    expect(Object.keys(clusters)).toEqual(['main', 'other']);
  });

  it('that are misspelt are refused', () => {
    expect(() => readSettings({ ...configuration, 'holdfast:cluster': '{}' })).toThrow('holdfast:cluster');
  });
});

describe('what is settled before any resource is made', () => {
  const environment = process.env;
  beforeEach(() => {
    process.env = { ...environment, HOLDFAST_HOME: '/home of holdfast' };
    delete process.env.PULUMI_CONFIG_PASSPHRASE;
    mockEngine({ preview: true });
    pulumi.runtime.setAllConfig(configuration);
  });
  afterEach(() => {
    process.env = environment;
    pulumi.runtime.setAllConfig({});
  });

  it('names the run after stack and time, and the clusters’ stack', () => {
    const stack = readStack('2026-01-02T03:04:05.000Z');
    expect(stack).toMatchObject({
      change: 'holdfast/test@2026-01-02T03:04:05.000Z',
      breakGlass: { state: 'none' },
      context: {
        environment: 'production',
        program: { file: '/p.cjs', hash: 'abc' },
        home: '/home of holdfast',
        dryRun: true,
      },
    });
    expect(stack.specifications.map(({ stack: name, cluster }) => [name, cluster])).toEqual([
      ['holdfast/test', 'main'],
      ['holdfast/test', 'other'],
    ]);
  });

  it('takes a break-glass that expired as none, and says so', () => {
    const grant = {
      reason: 'repository host lost',
      approver: 'ada@example.com',
      issued: '2026-01-01T00:00:00Z',
      expires: '2026-01-01T10:00:00Z',
    };
    pulumi.runtime.setAllConfig({ ...configuration, 'holdfast:breakGlass': JSON.stringify(grant) });
    expect(readStack('2026-01-01T09:00:00Z').breakGlass).toMatchObject({ state: 'active', grant });
    expect(readStack('2026-01-01T11:00:00Z').breakGlass).toMatchObject({ state: 'invalid' });
  });

  it('refuses the public passphrase of the embedded default in any other backend', () => {
    process.env.PULUMI_CONFIG_PASSPHRASE = embeddedPassphrase;
    process.env.PULUMI_BACKEND_URL = 's3://state';
    expect(() => readStack()).toThrow('public passphrase');
  });
});
