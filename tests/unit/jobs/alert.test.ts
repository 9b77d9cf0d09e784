import fs from 'node:fs';
import http from 'node:http';
import type net from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Alert } from '../../../core/alerts';
import { beat, sendAlert } from '../../../jobs/alert';
import { isAlive, until } from '../../support/processes';
import { removeTempDirs, tempDir } from '../../support/temp';
import { now, specification } from './fake-engine';

// Between two tries; they are counted, not waited for.
jest.mock('node:timers/promises', () => ({ setTimeout: jest.fn(() => Promise.resolve()) }));

beforeEach(() => jest.mocked(sleep).mockClear());
afterAll(removeTempDirs);

const alert: Alert = {
  key: 'backup-late',
  kind: 'backup-late',
  message: 'no backup succeeded for 22 h',
  remedy: 'holdfast backup shop',
  cluster: 'shop',
  state: 'raised',
  since: now,
};

/** A server that answers with the given statuses in turn (the last one for good), and what it got. */
async function serve(...statuses: number[]) {
  const got: { method: string; url: string; body: string }[] = [];
  const server = http.createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      got.push({ method: request.method ?? '', url: request.url ?? '', body });
      response.writeHead(statuses[Math.min(got.length, statuses.length) - 1] ?? 200).end();
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  const close = () => {
    server.closeAllConnections();
    return new Promise(resolve => server.close(resolve));
  };
  return { got, url: `http://127.0.0.1:${port}/secret-token`, close };
}

const settings = (alerts: object) => specification({}, alerts).alerts;

test('a webhook gets the alert as JSON, with the environment and the machine', async () => {
  const server = await serve(200);
  try {
    const log: string[] = [];
    const reached = await sendAlert(alert, 'production', settings({ webhook: server.url }), line =>
      log.push(line),
    );
    expect(reached).toBe(true);
    expect(log).toEqual([]);
    expect(server.got).toHaveLength(1);
    expect(JSON.parse(server.got[0]!.body)).toMatchObject({
      ...alert,
      environment: 'production',
      machine: expect.any(String) as string,
    });
  } finally {
    await server.close();
  }
});

test('a webhook that fails once is tried again', async () => {
  const server = await serve(500, 200);
  try {
    expect(await sendAlert(alert, 'production', settings({ webhook: server.url }), () => undefined)).toBe(
      true,
    );
    expect(server.got).toHaveLength(2);
    expect(jest.mocked(sleep).mock.calls).toEqual([[1000]]);
  } finally {
    await server.close();
  }
});

test('a webhook that stays broken is logged without its URL, which is a secret', async () => {
  const server = await serve(500);
  const log: string[] = [];
  try {
    expect(
      await sendAlert(alert, 'production', settings({ webhook: server.url }), line => log.push(line)),
    ).toBe(false);
    expect(server.got).toHaveLength(3);
    expect(jest.mocked(sleep).mock.calls).toEqual([[1000], [5000]]);
  } finally {
    await server.close();
  }
  // Now nobody listens there at all.
  await beat(settings({ heartbeat: server.url }), line => log.push(line));
  expect(log).toEqual([
    'the alert backup-late could not be sent by webhook: it answered 500',
    'the heartbeat could not be sent: ECONNREFUSED',
  ]);
});

test('a command gets the alert on standard input', async () => {
  const file = path.join(tempDir(), 'alert with spaces.json');
  const command = [process.execPath, '-e', 'fs.writeFileSync(process.argv[1], fs.readFileSync(0))', file];
  expect(await sendAlert(alert, 'staging', settings({ command }), () => undefined)).toBe(true);
  expect(JSON.parse(fs.readFileSync(file, 'utf8'))).toMatchObject({
    key: 'backup-late',
    environment: 'staging',
  });
});

test('one channel that works is enough; the other is logged', async () => {
  const server = await serve(200);
  const log: string[] = [];
  try {
    const both = settings({ webhook: server.url, command: ['/nowhere/page-me'] });
    expect(await sendAlert(alert, 'production', both, line => log.push(line))).toBe(true);
  } finally {
    await server.close();
  }
  expect(log).toEqual(['the alert backup-late could not be sent by command: ENOENT']);
});

test('a command that is not there does not keep the job from ending', async () => {
  const timers = () => process.getActiveResourcesInfo().filter(name => name === 'Timeout').length;
  const before = timers();
  await sendAlert(alert, 'production', settings({ command: ['/nowhere/page-me'] }), () => undefined);
  expect(timers()).toBe(before);
});

test('a command that does not end is ended', async () => {
  const patience = new AbortController();
  jest.spyOn(AbortSignal, 'timeout').mockReturnValueOnce(patience.signal);
  const pid = path.join(tempDir(), 'pid');
  const script = 'fs.writeFileSync(process.argv[1], `${process.pid}`); setInterval(() => undefined, 1000)';
  const log: string[] = [];
  const sent = sendAlert(
    alert,
    'production',
    settings({ command: [process.execPath, '-e', script, pid] }),
    line => log.push(line),
  );
  await until('the command runs', () => fs.existsSync(pid) && fs.readFileSync(pid, 'utf8') !== '');
  patience.abort();
  expect(await sent).toBe(false);
  await until('it has ended', () => !isAlive(Number(fs.readFileSync(pid, 'utf8'))));
  expect(log).toEqual(['the alert backup-late could not be sent by command: it had not ended after 60 s']);
});

test('without a channel there is nobody to reach', async () => {
  expect(await sendAlert(alert, 'production', settings({}), () => undefined)).toBe(true);
});

test('the heartbeat is fetched', async () => {
  const server = await serve(204);
  try {
    await beat(settings({ heartbeat: server.url }), () => undefined);
    expect(server.got).toEqual([{ method: 'GET', url: '/secret-token', body: '' }]);
  } finally {
    await server.close();
  }
});

test('without a heartbeat URL nothing is fetched and nothing logged', async () => {
  const log: string[] = [];
  await beat(settings({}), line => log.push(line));
  expect(log).toEqual([]);
});

test('a command that a signal ends has told nobody, and the signal is said', async () => {
  const log: string[] = [];
  const command = [process.execPath, '-e', 'process.kill(process.pid, "SIGKILL")'];
  expect(await sendAlert(alert, 'production', settings({ command }), line => log.push(line))).toBe(false);
  expect(log).toEqual(['the alert backup-late could not be sent by command: it ended with SIGKILL']);
});

test('a heartbeat service that never answers is given up, and said without its URL', async () => {
  const silent = http.createServer(() => undefined);
  await new Promise<void>(resolve => silent.listen(0, '127.0.0.1', resolve));
  const { port } = silent.address() as net.AddressInfo;
  const short = AbortSignal.timeout(20);
  const timeout = jest.spyOn(AbortSignal, 'timeout').mockReturnValue(short);
  const log: string[] = [];
  try {
    await beat(settings({ heartbeat: `http://127.0.0.1:${port}/secret-token` }), line => log.push(line));
  } finally {
    timeout.mockRestore();
    silent.closeAllConnections();
    await new Promise(resolve => silent.close(resolve));
  }
  expect(log).toEqual(['the heartbeat could not be sent: no answer within 10 s']);
});

test('a failure without a code is told by its name alone, as its words may have the URL', async () => {
  const fetching = jest
    .spyOn(globalThis, 'fetch')
    .mockRejectedValue(new TypeError('bad http://x/secret-token'));
  const log: string[] = [];
  try {
    await beat(settings({ heartbeat: 'http://127.0.0.1:1/secret-token' }), line => log.push(line));
  } finally {
    fetching.mockRestore();
  }
  expect(log).toEqual(['the heartbeat could not be sent: TypeError']);
});
