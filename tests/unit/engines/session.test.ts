import net from 'node:net';
import path from 'node:path';
import { onlyRow, withServer } from '../../../engines/host/session';
import { removeTempDirs, tempDir } from '../../support/temp';

afterAll(removeTempDirs);

/** What PostgreSQL says when it lets somebody in: AuthenticationOk, ReadyForQuery. */
const welcome = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0, 0x5a, 0, 0, 0, 5, 0x49]);

test('a question with one answer that gets none is a failure', async () => {
  const session = (rows: object[]) => ({ query: () => Promise.resolve(rows as never[]) });
  expect(await onlyRow(session([{ one: 1 }]), 'select 1 as one')).toEqual({ one: 1 });
  await expect(onlyRow(session([]), 'select 1 as one')).rejects.toMatchObject({ code: 'engine-failed' });
});

test('a server that lets us in and then hangs ends the question, not us', async () => {
  const directory = tempDir(0o700);
  const server = net.createServer(socket => {
    socket.on('error', () => undefined).once('data', () => socket.write(welcome));
  });
  await new Promise<void>(resolve => server.listen(path.join(directory, '.s.PGSQL.5432'), resolve));
  try {
    const where = { socketDirectory: directory, port: 5432, superuser: 'postgres' };
    const asked = withServer(where, 'postgres', session => session.query('select 1'), 0.1);
    await expect(asked).rejects.toThrow('Query read timeout');
  } finally {
    await new Promise(resolve => server.close(resolve));
  }
});
