import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { answers, freePort } from '../ports';
import { until } from '../processes';
import { tempDir } from '../temp';
import { installMoto } from './install';
import { startProxy, type FaultyAws } from './proxy';

/** An AWS of the test's own: moto behind a proxy that can make it fail. The environment of this process points to it. */
export interface TestAws extends FaultyAws {
  /** Forgets everything that was made, and heals the proxy. */
  reset(): Promise<void>;
  /** Any call of a service that the engine has no client for. */
  ask(service: string, parameters: Readonly<Record<string, string>>): Promise<string>;
  stop(): Promise<void>;
}

export const region = 'eu-central-1';

export async function startAws(): Promise<TestAws> {
  const python = await installMoto(line => console.error(line));
  const directory = tempDir();
  const port = await freePort();
  const log = path.join(directory, 'moto.log');
  const output = fs.openSync(log, 'w');
  // The guardian ends what works inside the directory, however this process ends.
  const server = spawn(python, [path.join(__dirname, 'server.py'), String(port)], {
    cwd: directory,
    env: {
      PATH: process.env.PATH,
      PYTHONDONTWRITEBYTECODE: '1',
      MOTO_RDS_SNAPSHOT_LIMIT: '1000',
      MOTO_IAM_LOAD_MANAGED_POLICIES: 'true',
    },
    stdio: ['ignore', output, output],
  });
  fs.closeSync(output);
  await until('moto answers', async () => {
    if (server.exitCode !== null) throw new Error(`moto ended:\n${fs.readFileSync(log, 'utf8')}`);
    return answers(port);
  });
  const proxy = await startProxy(port);
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: proxy.url,
    AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_EC2_METADATA_DISABLED: 'true',
  });
  return Object.assign(proxy, {
    reset: async () => {
      await fetch(`http://127.0.0.1:${port}/moto-api/reset`, { method: 'POST' });
      proxy.heal();
    },
    ask: async (service: string, parameters: Readonly<Record<string, string>>) => {
      const answer = await fetch(`http://127.0.0.1:${port}/`, {
        method: 'POST',
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          authorization: `AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20260101/${region}/${service}/aws4_request, SignedHeaders=host, Signature=0`,
        },
        body: new URLSearchParams(parameters).toString(),
      });
      return answer.text();
    },
    stop: async () => {
      await proxy.close();
      const ended = new Promise(resolve => server.once('close', resolve));
      server.kill('SIGKILL');
      await ended;
    },
  });
}
