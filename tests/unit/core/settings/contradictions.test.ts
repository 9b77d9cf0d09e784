import { errorsIn, errorsOf, secret } from './errors-of';

describe('what doesn’t go together', () => {
  test('listening beyond loopback without TLS', () => {
    const source = (overrides: object) => ({ source: { mode: 'managed', ...overrides } });
    const tls = { certificate: '/c.pem', key: '/k.pem' };
    expect(errorsIn(source({ listenAddresses: ['127.0.0.1', '0.0.0.0'] }))).toEqual([
      'source.tls: a cluster that listens beyond loopback needs tls.certificate and tls.key',
    ]);
    expect(errorsIn(source({ allow: ['10.0.0.0/8'] }))).toEqual([
      'source.tls: networks in `allow` log in over TLS: tls.certificate and tls.key are needed',
    ]);
    expect(errorsIn(source({ listenAddresses: ['localhost', '::1', '127.0.1.1'] }))).toEqual([]);
    expect(errorsIn(source({ listenAddresses: ['0.0.0.0'], allow: ['fd00::/8'], tls }))).toEqual([]);
  });

  test('settings that Holdfast sets', () =>
    expect(
      errorsIn({ source: { mode: 'managed', settings: { archive_mode: 'off', work_mem: '64MB' } } }),
    ).toEqual(["source.settings.archive_mode: archive_mode is set by Holdfast and can't be changed here"]));

  test('one role in two places', () =>
    expect(
      errorsIn({
        databases: { a: { applicationRoles: ['x'] }, b: { applicationRoles: ['y'], readOnlyRoles: ['x'] } },
      }),
    ).toEqual([
      'databases.b.readOnlyRoles[0]: role x is also in a.applicationRoles: a role belongs to one database, and either reads or writes',
    ]));

  test('encryption without a passphrase, and a passphrase without encryption', () => {
    const repository = (overrides: object) =>
      errorsIn({ backups: { repositories: [{ type: 'local', ...overrides }] } });
    expect(repository({ encryption: true })).toEqual([
      'backups.repositories[0].passphrase: an encrypted repository needs a passphrase',
    ]);
    expect(repository({ passphrase: secret })).toEqual([
      'backups.repositories[0].encryption: a passphrase is given, but encryption is off: set `encryption: true`, or remove the passphrase',
    ]);
    expect(repository({ encryption: true, passphrase: secret })).toEqual([]);
  });

  test('two repositories in one place', () => {
    const s3 = {
      type: 's3',
      bucket: 'shop',
      endpoint: 's3.example.com',
      region: 'x',
      key: 'k',
      keySecret: 's',
      passphrase: secret,
    };
    const repositories = (...list: object[]) => errorsIn({ backups: { repositories: list } });
    const same = [
      'backups.repositories[1]: the second repository is in the same place as the first, so it protects from nothing',
    ];
    expect(repositories({ type: 'local' }, { type: 'local' })).toEqual(same);
    expect(repositories(s3, s3)).toEqual(same);
    expect(repositories({ type: 'local' }, { type: 'local', path: '/other' })).toEqual([]);
    expect(repositories(s3, { ...s3, bucket: 'other' })).toEqual([]);
    expect(repositories({ type: 'local' }, s3)).toEqual([]);
  });

  test('two clusters with one port or data directory, on the same machine only', () => {
    const source = { mode: 'existing', port: 5432, dataDirectory: '/d' };
    const ssh = { type: 'ssh', host: 'db1', user: 'u', privateKeyPath: '/k', hostKey: 'ssh-ed25519 AAAA' };
    const two = (a: object, b: object) => errorsOf({ environment: 'staging', clusters: { a, b } });
    expect(two({ source }, { source })).toEqual([
      'holdfast:clusters.b.source.port: 5432 is also that of clusters.a on this machine',
      'holdfast:clusters.b.source.dataDirectory: /d is also that of clusters.a on this machine',
    ]);
    expect(two({ source, connection: ssh }, { source, connection: ssh })).toHaveLength(2);
    expect(two({ source, connection: ssh }, { source, connection: { ...ssh, host: 'db2' } })).toEqual([]);
    expect(two({ source }, { source, connection: ssh })).toEqual([]);
    expect(two({}, {})).toEqual([]);
  });
});
