import { assessBreakGlass } from '../../../core/break-glass';
import { after } from '../../../core/time';
import { ago, now } from './fixtures';

const grant = {
  reason: 'repository host lost, ticket OPS-99',
  approver: 'ada@example.com',
  issued: ago(3600),
  expires: ago(-3600),
};
const assess = (overrides: object = {}, at = now) => assessBreakGlass({ ...grant, ...overrides }, at);
const reasonOf = (state: ReturnType<typeof assess>) =>
  state.state === 'invalid' ? state.reason : state.state;

test('there is none', () => {
  expect(assessBreakGlass(undefined, now)).toEqual({ state: 'none' });
  expect(assessBreakGlass(null, now)).toEqual({ state: 'none' });
});

test('one that is complete and not expired is active, for as long as it says', () =>
  expect(assess()).toEqual({ state: 'active', grant, remainingSeconds: 3600 }));

test('it is active from its issue on until it expires, and at most for 24 h', () => {
  expect(assess({}, grant.issued).state).toBe('active');
  expect(assess({}, after(grant.expires, -1)).state).toBe('active');
  expect(reasonOf(assess({}, grant.expires))).toMatch(/^it expired 0 s ago/);
  expect(assess({ expires: after(grant.issued, 86_400) }).state).toBe('active');
  expect(reasonOf(assess({ expires: after(grant.issued, 86_401) }))).toMatch(/at most 24 h after issued/);
});

test.each([
  [{ reason: undefined }, /reason: /],
  [{ reason: 'short' }, /reason: /],
  [{ approver: '' }, /approver: /],
  [{ issued: undefined }, /issued: an ISO-8601 time with an offset is needed/],
  [{ issued: '2026-03-04T11:00:00' }, /issued: an ISO-8601 time with an offset is needed/],
  [{ expires: undefined }, /expires: /],
  [{ expires: ago(3601) }, /expires must be after issued/],
  [{ forever: true }, /forever/],
])('an incomplete one counts as none: %j', (overrides, reason) =>
  expect(reasonOf(assess(overrides))).toMatch(reason),
);

test('something that isn’t one counts as none', () =>
  expect(reasonOf(assessBreakGlass('yes', now))).toMatch(/^it is incomplete: /));

test('one that is issued in the future counts as none', () =>
  expect(reasonOf(assess({ issued: ago(-1) }))).toMatch(/^it is issued in the future/));

test('without knowing the time there is none', () => expect(assess({}, 'now').state).toBe('invalid'));

test('an expired one says since when', () =>
  expect(reasonOf(assess({}, ago(-7200)))).toBe(`it expired 1 h ago (${grant.expires})`));

test('times that aren’t quoted in the stack file, which Pulumi hands over as Go prints them, are times', () => {
  const unquoted = {
    ...grant,
    issued: '2026-03-04 11:00:00.5 +0000 UTC',
    expires: '2026-03-04 13:00:00 +0100 +0100',
  };
  expect(assessBreakGlass(unquoted, '2026-03-04T11:30:00Z')).toMatchObject({
    state: 'active',
    grant: { issued: '2026-03-04T11:00:00.5+00:00', expires: '2026-03-04T13:00:00+01:00' },
    remainingSeconds: 1800,
  });
});
