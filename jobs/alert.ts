import { spawn } from 'node:child_process';
import os from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Alert } from '../core/alerts';
import type { AlertSettings, Environment } from '../core/settings/stack';

/** What a webhook and a command get. */
export interface AlertDocument extends Alert {
  readonly environment: Environment;
  readonly machine: string;
  readonly at: string;
}

/** Says in the log what could not be sent. It never fails the job that wanted to alert. */
export type Log = (line: string) => void;

const requestMilliseconds = 10_000;
const commandMilliseconds = 60_000;
const pausesMilliseconds = [1000, 5000];

/**
 * Sends one alert on every channel that is configured.
 * @returns whether it reached somebody; also true when no channel is configured, as there is nobody to reach.
 */
export async function sendAlert(
  alert: Alert,
  environment: Environment,
  { webhook, command }: AlertSettings,
  log: Log,
): Promise<boolean> {
  const document: AlertDocument = {
    ...alert,
    environment,
    machine: os.hostname(),
    at: new Date().toISOString(),
  };
  const channels: { name: string; send: () => Promise<void> }[] = [];
  if (webhook !== undefined)
    channels.push({ name: 'webhook', send: () => retried(() => post(webhook, document)) });
  if (command !== undefined) channels.push({ name: 'command', send: () => run(command, document) });
  const reached = await Promise.all(
    channels.map(({ name, send }) =>
      send().then(
        () => true,
        (error: unknown) => {
          log(`the alert ${alert.key} could not be sent by ${name}: ${reasonOf(error)}`);
          return false;
        },
      ),
    ),
  );
  return channels.length === 0 || reached.includes(true);
}

/** Tells the heartbeat service that all was well; its silence is what alerts when this machine is gone. */
export async function beat({ heartbeat }: AlertSettings, log: Log): Promise<void> {
  if (heartbeat === undefined) return;
  await retried(() => request(heartbeat, { method: 'GET' })).catch((error: unknown) =>
    log(`the heartbeat could not be sent: ${reasonOf(error)}`),
  );
}

function post(url: string, document: AlertDocument): Promise<void> {
  return request(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(document),
  });
}

async function request(url: string, init: RequestInit): Promise<void> {
  const response = await fetch(url, { ...init, signal: AbortSignal.timeout(requestMilliseconds) });
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`it answered ${response.status}`);
}

async function retried(send: () => Promise<void>): Promise<void> {
  for (const pause of pausesMilliseconds) {
    try {
      await send();
      return;
    } catch {
      await sleep(pause);
    }
  }
  return send();
}

function run(command: readonly string[], document: AlertDocument): Promise<void> {
  // The settings' schema refuses an empty one.
  const [program, ...args] = command as readonly [string, ...string[]];
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ['pipe', 'ignore', 'ignore'],
      // Not `timeout`: for a program that can't be started its timer runs on, and keeps the job from ending.
      signal: AbortSignal.timeout(commandMilliseconds),
      killSignal: 'SIGKILL',
    });
    child.once('error', reject);
    child.once('close', (code, signal) =>
      code === 0 ? resolve() : reject(new Error(`it ended with ${String(code ?? signal)}`)),
    );
    // A command that doesn't read its input has been told nevertheless.
    child.stdin.on('error', () => undefined);
    child.stdin.end(`${JSON.stringify(document)}\n`);
  });
}

/** URLs are secrets (they carry tokens), and fetch puts them into some of its messages: only the code is told. */
function reasonOf(error: unknown): string {
  const { cause, code, name, message } = error as NodeJS.ErrnoException;
  if (name === 'AbortError') return `it had not ended after ${commandMilliseconds / 1000} s`;
  const inner = (cause as Partial<NodeJS.ErrnoException> | undefined)?.code;
  if (inner !== undefined) return inner;
  if (typeof code === 'string') return code;
  if (name === 'TimeoutError') return `no answer within ${requestMilliseconds / 1000} s`;
  return /^it (answered|ended)/.test(message) ? message : name;
}
