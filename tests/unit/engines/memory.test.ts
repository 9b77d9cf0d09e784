import fs from 'node:fs';
import path from 'node:path';
import { fileMemory } from '../../../engines/host/memory';
import { removeTempDirs, tempDir } from '../../support/temp';

afterAll(removeTempDirs);
afterEach(() => jest.restoreAllMocks());

test('each text is a file of the cluster’s directory, for its owner only, until it is forgotten', async () => {
  const directory = tempDir();
  const memory = fileMemory(directory);
  expect(await memory.read('due')).toBeNull();
  await memory.write('due', '{"schema":1}\n');
  await memory.write('break-glass', '{}\n');
  expect(await memory.read('due')).toBe('{"schema":1}\n');
  expect(fs.readdirSync(directory)).toEqual(['break-glass.json', 'due.json']);
  expect(fs.statSync(path.join(directory, 'due.json')).mode & 0o777).toBe(0o600);
  await memory.write('break-glass', null);
  await memory.write('break-glass', null);
  expect(fs.readdirSync(directory)).toEqual(['due.json']);
});

test('what can’t be read or written is not taken for nothing', async () => {
  const directory = tempDir();
  fs.mkdirSync(path.join(directory, 'due.json'));
  const memory = fileMemory(directory);
  await expect(memory.read('due')).rejects.toMatchObject({ code: 'EISDIR' });
  await expect(memory.write('due', '')).rejects.toMatchObject({ code: 'EISDIR' });
  expect(fs.readdirSync(directory)).toEqual(['due.json']);
});

test('a line of the audit is added to those that are there', async () => {
  const directory = tempDir();
  const memory = fileMemory(directory);
  expect(await memory.appendAudit('{"what":"one"}')).toBe(true);
  expect(await memory.appendAudit('{"what":"two"}')).toBe(true);
  const log = path.join(directory, 'audit.jsonl');
  expect(fs.readFileSync(log, 'utf8')).toBe('{"what":"one"}\n{"what":"two"}\n');
  expect(fs.statSync(log).mode & 0o777).toBe(0o600);
});

test('a cluster that has no directory gets none for an audit; one that can’t be written is an error', async () => {
  const directory = path.join(tempDir(), 'shop');
  expect(await fileMemory(directory).appendAudit('{}')).toBe(false);
  expect(fs.existsSync(directory)).toBe(false);
  fs.mkdirSync(path.join(directory, 'audit.jsonl'), { recursive: true });
  await expect(fileMemory(directory).appendAudit('{}')).rejects.toMatchObject({ code: 'EISDIR' });
});

test.each([
  ['root', 0],
  ['another user', 1000],
])('a log that %s begins belongs to whom the directory belongs to', async (_, uid) => {
  const directory = tempDir();
  // Only root could give it away.
  if (process.getuid?.() === 0 && uid === 0) fs.chownSync(directory, 65_534, 65_534);
  jest.spyOn(process, 'getuid').mockReturnValue(uid);
  await fileMemory(directory).appendAudit('{}');
  expect(fs.statSync(path.join(directory, 'audit.jsonl')).uid).toBe(fs.statSync(directory).uid);
});

test('the logs of its jobs are rotated', async () => {
  const directory = tempDir();
  fs.mkdirSync(path.join(directory, 'log'));
  const log = path.join(directory, 'log', 'run-due.log');
  fs.writeFileSync(log, '');
  fs.truncateSync(log, 6 * 1024 * 1024);
  await fileMemory(directory).rotateLogs();
  expect(fs.existsSync(`${log}.1`)).toBe(true);
});
