import os from 'node:os';
import { requester } from '../../../jobs/audit';

afterEach(() => jest.restoreAllMocks());

test.each([
  ['who became root by sudo', { SUDO_USER: 'ada', USER: 'root' }, `ada@${os.hostname()}`],
  ['who is logged in', { USER: 'ada', LOGNAME: 'bob' }, `ada@${os.hostname()}`],
  ['who is logged in elsewhere', { LOGNAME: 'ada' }, `ada@${os.hostname()}`],
  ['whom another machine names', { HOLDFAST_REQUESTER: 'ada@laptop', SUDO_USER: 'bob' }, 'ada@laptop'],
  ['the system’s user, where nobody logged in', {}, `${os.userInfo().username}@${os.hostname()}`],
])('the person behind a command is %s', (_, env, who) => {
  expect(requester(env)).toBe(who);
});

test('a user without a name is its number', () => {
  jest.spyOn(os, 'userInfo').mockImplementation(() => {
    throw new Error('no such user');
  });
  expect(requester({})).toBe(`${process.getuid?.()}@${os.hostname()}`);
});
