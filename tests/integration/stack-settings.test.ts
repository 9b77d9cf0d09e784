import { embeddedPassphrase } from '../../jobs/embedded';
import { Workspace } from '../support/pulumi';
import { removeTempDirs, tempDir } from '../support/temp';
import { Place } from './stack-support';

/** What a preview says of the settings alone: nothing is there yet. */
let place: Place;
const staging = { environment: 'staging', clusters: { staging: {} } };
const prod = { environment: 'production', clusters: { prod: {} } };

beforeAll(async () => {
  place = new Place();
  for (const stack of ['staging', 'prod'] as const) await place.initialise(stack);
});

afterAll(removeTempDirs);

describe('settings', () => {
  it('that are bad are refused all at once, without a stack trace', async () => {
    const file = place.stackFile('prod', { environment: 'prodution', cluster: {} });
    const { code, stdout } = await place.preview(file);
    expect(code).not.toBe(0);
    expect(stdout).toContain('holdfast:environment');
    expect(stdout).toContain('holdfast:cluster');
    expect(stdout).toContain('docs/configuration.md');
    expect(stdout).not.toMatch(/^\s+at /m);
  });

  it('with the embedded default’s passphrase are refused where state is elsewhere', async () => {
    const elsewhere = new Workspace({
      passphrase: embeddedPassphrase,
      env: { HOLDFAST_HOME: tempDir(0o711) },
    });
    await elsewhere.succeed(['stack', 'init', 'staging']);
    const { code, stdout } = await elsewhere.run(['preview', ...place.stackFile('staging', staging)]);
    expect(code).not.toBe(0);
    expect(stdout).toContain('public passphrase');
    expect(stdout).toContain('change-secrets-provider');
  });
});

describe('break-glass', () => {
  const grant = (issued: number, expires: number) => ({
    breakGlass: {
      reason: 'the repository host is lost',
      approver: 'ada@example.com',
      issued: new Date(Date.now() + issued * 60_000).toISOString(),
      expires: new Date(Date.now() + expires * 60_000).toISOString(),
    },
  });

  it('is loud in a preview', async () => {
    const { stdout } = await place.preview(place.stackFile('prod', { ...prod, ...grant(-5, 60) }));
    expect(stdout).toContain('BREAK-GLASS IS ACTIVE');
    expect(stdout).toContain('ada@example.com');
  });

  it('that expired says why it counts as none', async () => {
    const { stdout } = await place.preview(place.stackFile('prod', { ...prod, ...grant(-60, -5) }));
    expect(stdout).toContain('BREAK-GLASS COUNTS AS NONE: it expired');
  });
});
