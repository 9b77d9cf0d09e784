import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs/promises';
import path from 'node:path';
import type { HoldfastError } from '../../core/errors';
import type { Applied } from '../../core/host-documents';
import { pathsOf } from '../../engines/host/layout';
import { apply } from '../../engines/host/provision/apply';
import { inspect } from '../../engines/host/provision/inspect';
import { nurseryPrefix } from '../../engines/host/postgres/initialise';
import { readRecord } from '../../engines/host/record';
import { buildApplyProgram } from '../support/apply-program';
import { dropHome, specify } from '../support/host-cluster';
import { until } from '../support/processes';
import { removeTempDirs, tempDir } from '../support/temp';

/*
 * Kills a real apply with SIGKILL at one place after another, and completes it. It doesn't prove what a crash of the machine
 * leaves of files that were not synced yet.
 */

const program = path.join(tempDir(0o700), 'apply.cjs');
const homes: string[] = [];

beforeAll(() => buildApplyProgram(program));

afterAll(async () => {
  for (const home of homes) await dropHome(home);
  removeTempDirs();
});

const there = (file: string) => async (): Promise<boolean> =>
  fs.access(file).then(
    () => true,
    () => false,
  );

describe('an apply that is killed', () => {
  const specification = specify();
  const at = (home: string) => {
    const paths = pathsOf(home, specification);
    const data = (name: string): string => path.join(paths.dataDirectory, name);
    return {
      'with nothing but the record': there(paths.record),
      'in initdb': async () =>
        (await fs.readdir(paths.dataDirectory).catch(() => [])).some(name => name.startsWith(nurseryPrefix)),
      'when its identity is recorded': async () =>
        typeof (await readRecord(paths))?.systemIdentifier === 'string',
      'when the server starts': there(data('postmaster.pid')),
      'when the stanza is made': there(path.join(paths.repository, 'archive', 'shop', 'archive.info')),
      'when the passwords are made': there(paths.credentials),
    };
  };

  it.each(Object.keys(at('')) as (keyof ReturnType<typeof at>)[])(
    '%s is completed by the next',
    async place => {
      const home = path.join(tempDir(0o700), 'home');
      homes.push(home);
      const child = spawn(process.execPath, [program, home, JSON.stringify(specification)], {
        stdio: ['ignore', 'ignore', 'inherit'],
      });
      const ended = once(child, 'exit');
      await until(`the apply is where it is killed`, at(home)[place]);
      child.kill('SIGKILL');
      await ended;

      // The kernel frees the killed one's locks a moment after its end.
      let applied: Applied | undefined;
      await until('the next apply has run', async () => {
        try {
          const options = { home, program: null, report: () => undefined };
          ({ applied } = await apply({ specification, revision: 1 }, options));
          return true;
        } catch (error) {
          if ((error as HoldfastError).code === 'busy') return false;
          throw error;
        }
      });
      const inspection = await inspect(specification, { home });
      expect(inspection).toMatchObject({ provisioned: true, running: true, drift: [], needsRestart: [] });
      expect(inspection.applied).toEqual(applied);
      expect((await readRecord(pathsOf(home, specification)))?.phase).toBe('provisioning');
      await dropHome(home);
    },
  );
});
