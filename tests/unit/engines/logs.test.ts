import fs from 'node:fs';
import path from 'node:path';
import { rotateLogs } from '../../../engines/host/logs';
import { removeTempDirs, tempDir } from '../../support/temp';

afterAll(removeTempDirs);

const limit = 5 * 1024 * 1024;
let directory: string;
const log = (name: string) => path.join(directory, 'log', name);

function write(name: string, bytes: number, begin: string): void {
  fs.writeFileSync(log(name), begin);
  fs.truncateSync(log(name), bytes);
}

/** Which of what was written is in each file now. */
const begins = () =>
  Object.fromEntries(
    fs
      .readdirSync(path.join(directory, 'log'))
      .map(name => [name, fs.readFileSync(log(name), 'latin1').slice(0, 1)]),
  );

beforeEach(() => {
  directory = tempDir();
  fs.mkdirSync(path.join(directory, 'log'));
});

test('a log is rotated once it is larger than 5 MB, and the last four are kept', async () => {
  write('run-due.log', limit, 'a');
  await rotateLogs(directory);
  expect(begins()).toEqual({ 'run-due.log': 'a' });
  for (const begin of ['a', 'b', 'c', 'd', 'e']) {
    write('run-due.log', limit + 1, begin);
    await rotateLogs(directory);
  }
  expect(begins()).toEqual({
    'run-due.log.1': 'e',
    'run-due.log.2': 'd',
    'run-due.log.3': 'c',
    'run-due.log.4': 'b',
  });
});

test('what isn’t a log of a job, and what PostgreSQL holds open, stays as it is', async () => {
  write('postgresql-2026-01-15.log', limit + 1, 'p');
  write('notes.txt', limit + 1, 'n');
  await rotateLogs(directory);
  expect(begins()).toEqual({ 'postgresql-2026-01-15.log': 'p', 'notes.txt': 'n' });
});

test('a cluster without logs has none to rotate; what can’t be read or moved is said', async () => {
  await rotateLogs(tempDir());
  const file = tempDir();
  fs.writeFileSync(path.join(file, 'log'), '');
  await expect(rotateLogs(file)).rejects.toMatchObject({ code: 'ENOTDIR' });
  write('run-due.log', limit + 1, 'a');
  write('run-due.log.3', 1, 'b');
  fs.mkdirSync(log('run-due.log.4'));
  await expect(rotateLogs(directory)).rejects.toMatchObject({ code: 'EISDIR' });
  expect(fs.existsSync(log('run-due.log'))).toBe(true);
});
