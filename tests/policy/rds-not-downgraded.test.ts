import fc from 'fast-check';
import { rdsNotDowngraded } from '../../policy/rules/rds-not-downgraded';
import { isLower } from '../../policy/versions';
import { cluster, instance, onRds } from './support/aws';
import { resourceOf, soundEvidence, stackOf, unknown, type StackOptions } from './support/fixtures';

const raw = onRds();

const running = (version: string | null): StackOptions => ({
  raw,
  evidence: {
    shop: () => soundEvidence({ engine: 'rds', server: { state: version ? 'running' : 'stopped', version } }),
  },
});

const judgedWith = (changes: object, options: StackOptions = running('16.4')) =>
  rdsNotDowngraded.judgeResource(instance(changes), {}, stackOf(options));

test.each(['16.4', '16', '16.5', '17.0', '17', unknown, undefined])(
  '%p passes while 16.4 runs',
  async version => {
    expect(await judgedWith({ engineVersion: version })).toEqual([]);
  },
);

test.each(['16.3', '15', '15.9'])('%s is a violation while 16.4 runs', async version => {
  expect(await judgedWith({ engineVersion: version })).toEqual([
    `shop (aws:rds/instance:Instance) declares PostgreSQL ${version}, but 16.4 runs: RDS takes no version back\n  fix: set engineVersion to 16.4, or to its major version (16)`,
  ]);
});

test('nothing is compared of an instance that the settings don’t name, or before its name is known', async () => {
  for (const identifier of ['crm-production', undefined, unknown])
    expect(await judgedWith({ identifier, engineVersion: '15' })).toEqual([]);
  const resources = [cluster({ engineVersion: '15' }), resourceOf({ properties: { engineVersion: '15' } })];
  for (const resource of resources)
    expect(await rdsNotDowngraded.judgeResource(resource, {}, stackOf(running('16.4')))).toEqual([]);
});

test('what runs isn’t known while it is stopped or can’t be asked: other rules block then', async () => {
  expect(await judgedWith({ engineVersion: '15' }, running(null))).toEqual([]);
  expect(await judgedWith({ engineVersion: '15' }, { raw, evidence: { shop: () => 'nothing' } })).toEqual([]);
});

describe('a version', () => {
  test('is lower by its first number that differs', () => {
    expect(isLower('9.6.24', '10.1')).toBe(true);
    expect(isLower('10.1', '9.6.24')).toBe(false);
    expect(isLower('16.9', '16.10')).toBe(true);
    expect(isLower('16.4.1', '16.4')).toBe(false);
    expect(isLower('11.21', '11.22-rds.20240418')).toBe(true);
    expect(isLower('11.22', '11.22-rds.20240418')).toBe(false);
  });

  test('that is none is neither lower nor higher', () => {
    for (const none of ['latest', '']) {
      expect(isLower(none, '16')).toBe(false);
      expect(isLower('16', none)).toBe(false);
    }
  });

  test('is never both lower and higher', () => {
    const version = fc.array(fc.nat(30), { minLength: 1, maxLength: 3 }).map(numbers => numbers.join('.'));
    fc.assert(
      fc.property(version, version, (a, b) => {
        expect(isLower(a, b) && isLower(b, a)).toBe(false);
        expect(isLower(a, a)).toBe(false);
      }),
    );
  });
});
