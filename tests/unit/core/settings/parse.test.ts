import { parseStack } from '../../../../core/settings/parse';
import { errorsIn, errorsOf } from './errors-of';

test('a cluster needs nothing but a name: every default is safe for production', () => {
  const { clusters, alerts } = parseStack({ environment: 'production', clusters: { shop: {} } });
  expect(alerts).toEqual({ repeatAfter: 6 * 3600 });
  expect(clusters).toEqual({
    shop: {
      engine: 'host',
      source: {
        mode: 'managed',
        version: 15,
        listenAddresses: ['127.0.0.1'],
        allow: [],
        settings: {},
        allowRestart: false,
      },
      connection: { type: 'local' },
      owner: 'postgres',
      databases: {},
      backups: {
        schedules: {
          full: '30 1 * * 0',
          differential: '30 1 * * 1-6',
          incremental: 'never',
          verification: '30 3 * * *',
        },
        retention: { full: 4, differential: 14 },
        maximumAge: 26 * 3600,
        verificationMaximumAge: 7 * 86_400,
        rpo: 300,
        rto: 3600,
        repositories: [{ type: 'local', encryption: false }],
        snapshot: 'when-needed',
        verification: { checks: [], allowedFalls: [] },
      },
    },
  });
});

test('structured values may be JSON text, as Pulumi hands them over', () =>
  expect(
    parseStack({
      environment: 'staging',
      clusters: '{"shop":{"owner":"pg"}}',
      alerts: '{"repeatAfter":"1 h"}',
    }),
  ).toMatchObject({ clusters: { shop: { owner: 'pg' } }, alerts: { repeatAfter: 3600 } }));

test('break-glass is taken as it is: it is assessed where the time is known', () =>
  expect(
    parseStack({ environment: 'staging', clusters: { shop: {} }, breakGlass: '{"reason":"x"}' }),
  ).toMatchObject({
    breakGlass: { reason: 'x' },
  }));

test('what is missing', () => {
  expect(errorsOf({})).toEqual([
    'holdfast:environment: is missing: production or staging; example: environment: production',
    'holdfast:clusters: is missing',
  ]);
  expect(errorsOf({ environment: 'staging', clusters: {} })).toEqual([
    'holdfast:clusters: at least one cluster is needed',
  ]);
});

test('all errors are told at once, in one error', () =>
  expect(
    errorsOf({
      environment: 'test',
      clusters: { shop: { backups: { rpo: '5', retention: { full: 1 } } }, Web: {} },
      alerts: { repeatAfter: 'often' },
    }),
  ).toEqual([
    'holdfast:environment: must be production or staging, not "test"; example: environment: production',
    'holdfast:clusters.shop.backups.retention.full: must be at least 2, not 1',
    'holdfast:clusters.shop.backups.rpo: "5" is not a duration with a unit (s, min, h, d); example: rpo: 5 min',
    expect.stringMatching(/^holdfast:clusters\.Web: a name has lower-case letters/),
    'holdfast:alerts.repeatAfter: "often" is not a duration with a unit (s, min, h, d); example: repeatAfter: 6 h',
  ]));

describe('an unknown key', () => {
  test('is told with the nearest known one', () => {
    expect(errorsOf({ environment: 'staging', clusters: { shop: {} }, alert: {} })).toEqual([
      'holdfast:alert: there is no such key; did you mean alerts?',
    ]);
    expect(errorsIn({ backups: { shedule: {}, maximum_age: '1 h' } })).toEqual([
      'backups.shedule: there is no such key; did you mean schedules?',
      'backups.maximum_age: there is no such key; did you mean maximumAge?',
    ]);
  });

  test('is told with all known ones when none is near', () =>
    expect(errorsIn({ connection: { type: 'local', password: 'x' } })).toEqual([
      'connection.password: there is no such key; known are type',
    ]));

  test('is one of the alternative that was chosen', () =>
    expect(errorsIn({ source: { mode: 'existing', dataDirectory: '/d', port: 5432, versoin: 15 } })).toEqual([
      'source.versoin: there is no such key; known are mode, dataDirectory, port, socketDirectory, allowRestart, replaceArchiveCommand',
    ]));
});

describe('what is wrong with a value', () => {
  test.each<[string, unknown, string]>([
    [
      'a duration of nothing',
      { backups: { rto: '0 s' } },
      'backups.rto: "0 s" is not a duration with a unit (s, min, h, d); example: rto: 1 h',
    ],
    [
      'a number without a unit',
      { backups: { rto: 3600 } },
      'backups.rto: must be text, not 3600; example: rto: 1 h',
    ],
    [
      'a cron time of four fields',
      { backups: { schedules: { full: '1 * * *' } } },
      'backups.schedules.full: "1 * * *" is not a cron time: five fields are needed (minute, hour, day of month, month, day of week); example: full: 30 1 * * 0',
    ],
    [
      'a cron time that never comes',
      { backups: { schedules: { full: '0 0 31 2 *' } } },
      'backups.schedules.full: "0 0 31 2 *" is not a cron time: there is no such day; example: full: 30 1 * * 0',
    ],
    [
      'no full backups',
      { backups: { schedules: { full: 'never' } } },
      'backups.schedules.full: "never" is not a cron time: five fields are needed (minute, hour, day of month, month, day of week); example: full: 30 1 * * 0',
    ],
    [
      'another case of never',
      { backups: { schedules: { incremental: 'Never' } } },
      'backups.schedules.incremental: "Never" is not a cron time: five fields are needed (minute, hour, day of month, month, day of week); example: incremental: 30 7-23/6 * * *',
    ],
    [
      'an unknown alternative',
      { source: { mode: 'managd' } },
      'source.mode: must be managed or existing, not "managd"',
    ],
    ['no alternative', { source: { port: 5440 } }, 'source.mode: is missing: managed or existing'],
    ['a list for a map', { databases: [] }, 'databases: must be a map, not a list'],
    [
      'a map for a list',
      { backups: { repositories: {} } },
      'backups.repositories: must be a list, not a map',
    ],
    ['nothing for a map', { databases: null }, 'databases: must be a map, not null'],
    [
      'text for a truth',
      { source: { mode: 'managed', allowRestart: 'yes' } },
      'source.allowRestart: must be true or false, not "yes"',
    ],
    [
      'a fraction for a whole number',
      { source: { mode: 'managed', version: 15.5 } },
      'source.version: must be a whole number, not 15.5',
    ],
    [
      'too large a number',
      { source: { mode: 'managed', version: 19 } },
      'source.version: must be at most 18, not 19',
    ],
    [
      'too many entries',
      { backups: { repositories: [1, 2, 3] } },
      'backups.repositories: must have at most 2 entries',
    ],
    [
      'too few entries',
      { databases: { shop: { schemas: [] } } },
      'databases.shop.schemas: must have at least 1 entry',
    ],
    [
      'an empty text',
      { backups: { verification: { allowedFalls: [''] } } },
      'backups.verification.allowedFalls[0]: must have at least 1 character, not ""; example: shop.app.sessions',
    ],
    [
      'a network that isn’t one',
      { source: { mode: 'managed', allow: ['10.0.0.0/40'] } },
      'source.allow[0]: must be a network in CIDR notation, not "10.0.0.0/40"; example: 10.0.0.0/8',
    ],
    [
      'a path that leads upwards',
      { source: { mode: 'managed', dataDirectory: '/srv/../etc' } },
      'source.dataDirectory: an absolute path is needed, without ".." and a "/" at its end, not "/srv/../etc"; example: dataDirectory: /srv/postgresql/shop',
    ],
    [
      'a setting of two lines',
      { source: { mode: 'managed', settings: { work_mem: '1\nfsync = off' } } },
      'source.settings.work_mem: must be one line, not "1\\nfsync = off"; example: work_mem: 256MB',
    ],
  ])('%s', (_, cluster, message) => expect(errorsIn(cluster)).toContain(message));

  test('paths of the machine’s root, relative ones and such with a line break are refused', () => {
    for (const dataDirectory of ['/', 'data', '/a/', '/a/..', '/a\nb'])
      expect(errorsIn({ source: { mode: 'managed', dataDirectory } })).toHaveLength(1);
    for (const dataDirectory of ['/srv/with space/d', '/srv/..data', '/d'])
      expect(errorsIn({ source: { mode: 'managed', dataDirectory } })).toEqual([]);
  });

  test('what would be taken for an option, a URL or a system object is refused', () => {
    const ssh = {
      type: 'ssh',
      host: 'db1',
      user: 'deploy',
      privateKeyPath: '/k',
      hostKey: 'ssh-ed25519 AAAA',
    };
    expect(errorsIn({ connection: ssh })).toEqual([]);
    expect(errorsIn({ connection: { ...ssh, host: '2001:db8::1', sudoUser: 'root' } })).toEqual([]);
    for (const wrong of [
      { host: '-oProxyCommand=x' },
      { host: 'https://db1' },
      { user: '-l' },
      { sudoUser: '-u' },
      { hostKey: 'db1 ssh-ed25519 AAAA' },
    ])
      expect(errorsIn({ connection: { ...ssh, ...wrong } })).toHaveLength(1);
    expect(errorsIn({ databases: { pg_shop: {} } })).toHaveLength(1);
    expect(errorsIn({ databases: { postgres: {} } })).toEqual([
      'databases.postgres: this database is there already, and PostgreSQL’s own',
    ]);
    expect(errorsIn({ databases: { shop: { applicationRoles: ['public'] } } })).toHaveLength(1);
  });
});
