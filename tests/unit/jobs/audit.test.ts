import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { appendAudit, requester } from '../../../jobs/audit';
import { removeTempDirs, tempDir } from '../../support/temp';
import { now } from './fake-engine';

afterAll(removeTempDirs);
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

test.each([
  ['root', 0],
  ['another user', 1000],
])('a log that %s begins belongs to whom the directory belongs to', async (_, uid) => {
  const directory = tempDir();
  // Only root could give it away.
  if (process.getuid?.() === 0 && uid === 0) fs.chownSync(directory, 65_534, 65_534);
  jest.spyOn(process, 'getuid').mockReturnValue(uid);
  await appendAudit(directory, {
    at: now,
    who: 'ada@desk',
    what: 'backup full',
    cluster: 'shop',
    outcome: 'succeeded',
    durationSeconds: 1,
  });
  expect(fs.statSync(path.join(directory, 'audit.jsonl')).uid).toBe(fs.statSync(directory).uid);
});
