import os from 'node:os';
import path from 'node:path';
import {
  embeddedEnvironment,
  embeddedPassphrase,
  holdfastHome,
  refuseEmbeddedPassphraseElsewhere,
} from '../../../jobs/embedded';

const asUser = (uid: number) => jest.spyOn(process, 'getuid').mockReturnValue(uid);
afterEach(() => jest.restoreAllMocks());

describe('the home', () => {
  test('HOLDFAST_HOME decides, made absolute', () => {
    expect(holdfastHome({ HOLDFAST_HOME: '/srv/hold fast' })).toBe('/srv/hold fast');
    expect(holdfastHome({ HOLDFAST_HOME: 'here' })).toBe(path.resolve('here'));
  });

  test('root has it in /var/lib', () => {
    asUser(0);
    expect(holdfastHome({ HOLDFAST_HOME: '', XDG_DATA_HOME: '/data' })).toBe('/var/lib/holdfast');
  });

  test('anybody else has it in the data directory, or in its usual place', () => {
    asUser(1000);
    const usual = path.join(os.homedir(), '.local/share/holdfast');
    expect(holdfastHome({ XDG_DATA_HOME: '/data' })).toBe('/data/holdfast');
    expect(holdfastHome({ XDG_DATA_HOME: 'relative' })).toBe(usual);
    expect(holdfastHome({})).toBe(usual);
  });
});

describe('the public passphrase', () => {
  const own = embeddedEnvironment({ home: '/srv/hold fast', checkout: '/src', pulumiHome: '/p' });

  test('is fine with the backend of the embedded default', () => {
    expect(() => refuseEmbeddedPassphraseElsewhere(own)).not.toThrow();
    expect(own.PULUMI_BACKEND_URL).toBe('file:///srv/hold%20fast/pulumi');
  });

  test.each([
    ['another home', { ...own, HOLDFAST_HOME: '/elsewhere' }],
    ['a bucket', { ...own, PULUMI_BACKEND_URL: 's3://states' }],
    ['a backend of pulumi login', { ...own, PULUMI_BACKEND_URL: undefined }],
  ])('is refused with %s', (_, env) => {
    expect(() => refuseEmbeddedPassphraseElsewhere(env)).toThrow(/public passphrase/);
  });

  test('is nobody else’s business', () => {
    expect(() =>
      refuseEmbeddedPassphraseElsewhere({
        PULUMI_BACKEND_URL: 's3://states',
        PULUMI_CONFIG_PASSPHRASE: `${embeddedPassphrase}!`,
      }),
    ).not.toThrow();
  });
});
