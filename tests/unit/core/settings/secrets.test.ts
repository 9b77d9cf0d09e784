import { secretKeys } from '../../../../core/settings/parse';
import { errorsOf, secret, stackWith } from './errors-of';

describe('secrets', () => {
  test('are these settings', () =>
    expect(secretKeys).toEqual([
      'clusters.*.backups.repositories.*.passphrase',
      'clusters.*.backups.repositories.*.key',
      'clusters.*.backups.repositories.*.keySecret',
      'alerts.webhook',
      'alerts.heartbeat',
    ]));

  // Whichever way they are wrong: `errorsOf` looks for the value in every message.
  test.each<[string, Record<string, unknown>]>([
    [
      'too short',
      stackWith({ backups: { repositories: [{ type: 'local', encryption: true, passphrase: 'hunter2' }] } }),
    ],
    [
      'of two lines',
      stackWith({
        backups: { repositories: [{ type: 'local', encryption: true, passphrase: `${secret}\n` }] },
      }),
    ],
    [
      'with an unknown kind of repository',
      stackWith({ backups: { repositories: [{ type: 'hunter', passphrase: secret }] } }),
    ],
    [
      'of another type',
      stackWith({
        backups: { repositories: [{ type: 's3', key: { secure: secret }, keySecret: [secret] }] },
      }),
    ],
    ['in the place of the repository', stackWith({ backups: { repositories: [secret] } })],
    ['in the place of the repositories', stackWith({ backups: { repositories: secret } })],
    ['in the place of everything', { environment: 'production', clusters: `{"shop": "${secret}"` }],
    ['in the place of the alerts', { ...stackWith({}), alerts: secret }],
    ['no URL', { ...stackWith({}), alerts: { webhook: secret, heartbeat: `ftp://${secret}` } }],
    ['under a misspelt key', { ...stackWith({}), alerts: { webhok: secret } }],
  ])('are in no message: %s', (_, raw) => expect(errorsOf(raw).length).toBeGreaterThan(0));
});
