import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs/promises';
import path from 'node:path';
import type { HoldfastError } from '../../core/errors';
import { pathsOf } from '../../engines/host/layout';
import { inspect } from '../../engines/host/provision/inspect';
import { buildApplyProgram } from '../support/apply-program';
import { adoptable, type Adoptable } from '../support/adoption';
import { until } from '../support/processes';
import { removeTempDirs, tempDir } from '../support/temp';

/*
 * Kills an adoption with SIGKILL at one place after another, and completes it. What its owner has in the cluster and its files
 * stays as it was.
 */

const program = path.join(tempDir(0o700), 'apply.cjs');
beforeAll(() => buildApplyProgram(program));
afterAll(removeTempDirs);

interface Place {
  /** What its owner had set. */
  readonly settings: readonly string[];
  readonly source: Readonly<Record<string, unknown>>;
  /** Whether the adoption has come to where it is killed: by its steps, or by what it has made. */
  readonly reached: (foreign: Adoptable, steps: string) => Promise<boolean>;
}

const archives = {
  settings: ['archive_mode = on', `archive_command = '/bin/true'`],
  source: { replaceArchiveCommand: 'nothing was archived' },
};
const contains = async (file: string, text: string): Promise<boolean> =>
  (await fs.readFile(file, 'utf8').catch(() => '')).includes(text);
const pathsIn = ({ home, declared }: Adoptable) => pathsOf(home, declared());

const places: Record<string, Place> = {
  'with nothing but the record': {
    ...archives,
    reached: foreign => contains(pathsIn(foreign).record, 'adopting'),
  },
  'when the stanza is made': {
    ...archives,
    reached: foreign => contains(path.join(pathsIn(foreign).repository, 'archive/shop/archive.info'), '15'),
  },
  'when it has set what it sets': {
    ...archives,
    reached: ({ dataDirectory }) =>
      contains(path.join(dataDirectory, 'postgresql.auto.conf'), 'archive-push'),
  },
  'while the server restarts': {
    settings: [],
    source: { allowRestart: true },
    reached: (_, steps) => Promise.resolve(steps.includes('restarting the server')),
  },
};

describe('an adoption that is killed', () => {
  it.each(Object.keys(places))(
    '%s is completed by the next, and nothing of its owner’s is touched',
    async where => {
      const { settings, source, reached } = places[where]!;
      const foreign = await adoptable(settings);
      const { home, configuration, query, declared, adopt } = foreign;
      const specification = declared(source);
      const theirs = async () => ({
        rows: await query('select count(*)::int as n, sum(id)::int as sum from theirs'),
        identity: await query('select system_identifier::text from pg_control_system()'),
        configuration: await fs.readFile(configuration, 'utf8'),
      });
      const before = await theirs();
      try {
        const child = spawn(process.execPath, [program, home, JSON.stringify(specification)], {
          stdio: ['ignore', 'pipe', 'inherit'],
        });
        let steps = '';
        child.stdout.on('data', (chunk: Buffer) => (steps += chunk.toString()));
        const ended = once(child, 'exit');
        await until('the adoption is where it is killed', () => reached(foreign, steps));
        child.kill('SIGKILL');
        expect(await ended).toEqual([null, 'SIGKILL']);

        // The kernel frees the killed one's locks a moment after its end, and a restart that was begun takes its time.
        await until('the next adoption has run', async () => {
          try {
            await adopt(specification);
            return true;
          } catch (error) {
            const { code, message } = error as HoldfastError;
            if (code === 'busy' || /is not running|is starting up/.test(message)) return false;
            throw error;
          }
        });
        expect(await inspect(specification, { home })).toMatchObject({
          provisioned: true,
          running: true,
          drift: [],
          needsRestart: [],
          phase: 'adopting',
        });
        expect(await theirs()).toEqual(before);
      } finally {
        await foreign.stop();
      }
    },
  );
});
