import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { HostSpecification } from '../../core/specification';
import { clusterPaths } from '../../engines/host/layout';
import { renderCronFile, withCrontabBlock } from '../../engines/host/schedule/cron';
import type { Places } from '../../engines/host/schedule/places';
import { jobName, jobOf } from '../../engines/host/schedule/plan';
import { installSchedule, removeSchedule, scheduleDrift } from '../../engines/host/schedule/schedule';
import { specify } from '../support/host-cluster';
import { run, succeed } from '../support/processes';
import { removeTempDirs, tempDir } from '../support/temp';

/*
 * What is written, compared and removed. The programs of cron and systemd are stand-ins that keep what they are given; that a
 * real cron daemon runs it is proven elsewhere.
 */

afterAll(removeTempDirs);

interface Machine {
  readonly home: string;
  readonly places: Places;
  readonly program: string;
  readonly crontab: string;
  readonly calls: () => Promise<string[]>;
  readonly install: (specification?: HostSpecification) => ReturnType<typeof installSchedule>;
}

/** A home with blanks and a per cent sign in its path, on a machine that keeps its schedules in a directory of ours. */
async function machine(kind: Places['kind']): Promise<Machine> {
  const root = tempDir(0o755);
  const home = path.join(root, 'a home, 100 %');
  const directory = path.join(root, 'places');
  const program = path.join(home, 'program', 'holdfast.cjs');
  for (const one of [
    directory,
    path.dirname(program),
    ...['shop', 'bank'].map(name => clusterPaths(home, name).log),
  ])
    await fs.mkdir(one, { recursive: true });
  await fs.writeFile(program, "console.log(process.argv.slice(2).join(' '), process.env.HOLDFAST_HOME);\n");
  const crontab = path.join(root, 'crontab.txt');
  const log = path.join(root, 'calls');
  const script = async (name: string, text: string): Promise<string> => {
    const file = path.join(root, name);
    await fs.writeFile(file, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    return file;
  };
  const programs = {
    systemctl: await script('systemctl', `echo "$@" >>${log}`),
    crontab: await script(
      'crontab',
      `if [ "$1" = - ]; then sleep 0.1; cat >${crontab}; elif [ -e ${crontab} ]; then cat ${crontab}; else echo "no crontab for me" >&2; exit 1; fi`,
    ),
  };
  const places: Places = { kind, directory, programs };
  return {
    home,
    places,
    program,
    crontab,
    calls: async () => (await fs.readFile(log, 'utf8').catch(() => '')).split('\n').filter(Boolean),
    install: (specification = specify()) =>
      installSchedule(specification, { home, node: process.execPath, program, places }),
  };
}

const user = os.userInfo().username;

describe.each(['cron.d', 'crontab', 'systemd'] as const)('a schedule of %s', kind => {
  it('is installed, compared, repaired and removed; doing it again changes nothing', async () => {
    const { home, places, install, crontab } = await machine(kind);
    expect(await scheduleDrift('shop', { home, places })).toEqual([]);
    const installed = await install();
    expect(installed).toMatchObject({ cluster: 'shop', kind });
    const files = installed.written.map(file => (file === 'crontab' ? crontab : file));
    const contents = async () => Promise.all(files.map(file => fs.readFile(file, 'utf8')));
    const first = await contents();
    expect(await scheduleDrift('shop', { home, places })).toEqual([]);

    await fs.writeFile(files[0]!, first[0]!.replace('run-due', 'run-never'));
    expect(await scheduleDrift('shop', { home, places })).toEqual([
      { what: 'schedule', expected: `${installed.written[0]} as applied`, found: 'it was changed' },
    ]);
    await install();
    expect(await contents()).toEqual(first);

    await fs.rm(files[0]!);
    expect(await scheduleDrift('shop', { home, places })).toMatchObject([{ found: 'it is gone' }]);
    await install();
    expect(await contents()).toEqual(first);

    expect(await removeSchedule('shop', { home, places })).toEqual({
      cluster: 'shop',
      removed: installed.written,
    });
    const left = kind === 'crontab' ? await fs.readFile(crontab, 'utf8') : await fs.readdir(places.directory);
    expect(left).toHaveLength(0);
    expect(await scheduleDrift('shop', { home, places })).toEqual([]);
    expect(await removeSchedule('shop', { home, places })).toEqual({ cluster: 'shop', removed: [] });
  });

  it('replaces one of another kind', async () => {
    const { home, places, install, crontab } = await machine(kind);
    await install();
    const other = kind === 'crontab' ? 'cron.d' : 'crontab';
    await installSchedule(specify(), {
      home,
      node: process.execPath,
      program: path.join(home, 'program', 'holdfast.cjs'),
      places: { ...places, kind: other },
    });
    const [files, table] = [await fs.readdir(places.directory), await fs.readFile(crontab, 'utf8')];
    expect([files.length > 0, table !== '']).toEqual(other === 'crontab' ? [false, true] : [true, false]);
  });
});

describe('a file of cron.d', () => {
  it('has a name that cron accepts, and lines whose commands do what they say', async () => {
    const { home, install, places } = await machine('cron.d');
    const { written } = await install();
    expect(path.basename(written[0]!)).toMatch(/^[A-Za-z0-9_-]+$/);
    expect((await fs.stat(written[0]!)).mode & 0o777).toBe(0o644);
    const lines = (await fs.readFile(written[0]!, 'utf8')).trim().split('\n').slice(1);
    expect(lines.map(line => line.split(' ').slice(0, line.startsWith('@') ? 2 : 6))).toEqual([
      ['*/5', '*', '*', '*', '*', user],
      ['@reboot', user],
    ]);
    for (const [index, log, said] of [
      [0, 'run-due.log', `run-due shop ${home}\n`],
      [1, 'start.log', `host start ${home}\n`],
    ] as const) {
      // As cron does it: the command is what follows, with \\% for %.
      const fields = index === 0 ? 6 : 2;
      const command = lines[index]!.split(' ').slice(fields).join(' ').replace(/\\%/g, '%');
      expect(await run('/bin/sh', ['-c', command], { env: {} })).toMatchObject({ code: 0, stderr: '' });
      expect(await fs.readFile(path.join(clusterPaths(home, 'shop').log, log), 'utf8')).toBe(said);
    }
    expect(places.kind).toBe('cron.d');
  });

  it('does not start an adopted cluster at boot', async () => {
    const { install } = await machine('cron.d');
    const source = { mode: 'existing', dataDirectory: '/srv/data', port: 5432 };
    const { written } = await install(specify({ cluster: { source } }));
    expect(await fs.readFile(written[0]!, 'utf8')).not.toContain('@reboot');
  });

  it('is refused where cron would pass over it, as a command is longer than it takes', async () => {
    const rendered = (length: number) => {
      const home = `/${'h'.repeat(length - 1)}`;
      const program = path.join(home, 'program', 'holdfast.cjs');
      return renderCronFile(jobOf(specify(), { home, node: '/usr/bin/node', program }));
    };
    let longest = 200;
    for (; ; longest += 1)
      try {
        rendered(longest + 1);
      } catch (error) {
        expect(error).toMatchObject({
          code: 'configuration',
          hint: expect.stringContaining('HOLDFAST_HOME') as string,
        });
        break;
      }
    // As a user's crontab, which has no name of a user in its lines; cron itself is the judge.
    const check = async (text: string, more = '') => {
      const file = path.join(tempDir(), 'crontab');
      const lines = text
        .split('\n')
        .map(line => line.replace(` ${user} `, ' ').replace(/$/, line === '' ? '' : more));
      await fs.writeFile(file, lines.join('\n'));
      return (await run('crontab', ['-n', file])).code;
    };
    expect(await check(rendered(longest))).toBe(0);
    expect(await check(rendered(longest), 'xxx')).toBe(1);
  });

  it('is named by home and cluster, so that two never collide', () => {
    expect(new Set([jobName('/a', 'shop'), jobName('/b', 'shop'), jobName('/a', 'bank')]).size).toBe(3);
  });
});

describe('a crontab', () => {
  it('keeps all other lines as they are, without a final line break too', async () => {
    const { home, places, install, crontab } = await machine('crontab');
    const mine = '# mine\nMAILTO=me\n5 4 * * * /bin/my-job 100\\% $HOME';
    await fs.writeFile(crontab, mine);
    await install();
    await install(specify({ cluster: { owner: 'somebody' } }));
    const lines = (await fs.readFile(crontab, 'utf8')).split('\n');
    expect(lines.slice(0, 3).join('\n')).toBe(mine);
    expect(lines.filter(line => line.includes('BEGIN holdfast-shop'))).toHaveLength(1);
    await removeSchedule('shop', { home, places });
    expect(await fs.readFile(crontab, 'utf8')).toBe(`${mine}\n`);
  });

  it('keeps the blocks of two clusters that are installed at the same time', async () => {
    const { install, crontab } = await machine('crontab');
    await Promise.all(['shop', 'bank'].map(name => install(specify({ name }))));
    const text = await fs.readFile(crontab, 'utf8');
    for (const name of ['shop', 'bank']) expect(text).toContain(`run-due ${name} `);
  });

  it('is left alone when it can’t be read', async () => {
    const { home, program, places } = await machine('crontab');
    const failing = { ...places, programs: { crontab: '/bin/false' } };
    const options = { home, node: process.execPath, program, places: failing };
    await expect(installSchedule(specify(), options)).rejects.toMatchObject({ code: 'engine-failed' });
  });

  it('keeps what stands after a block whose end is gone', () => {
    const broken = '# BEGIN x: written by Holdfast\n* * * * * true\n';
    expect(withCrontabBlock(broken, 'x', null)).toBe(broken);
  });
});

describe('the units of systemd', () => {
  it('pass systemd-analyze verify', async () => {
    const { install, places } = await machine('systemd');
    const { written } = await install();
    expect(written).toHaveLength(3);
    const { code, stdout, stderr } = await run('systemd-analyze', ['verify', '--man=no', ...written], {
      env: { PATH: process.env.PATH, SYSTEMD_UNIT_PATH: `${places.directory}:` },
    });
    expect([code, stdout, stderr.split('\n').filter(line => line.includes('holdfast'))]).toEqual([0, '', []]);
  });

  it('are enabled and started when installed, disabled when removed, and the cluster is not stopped', async () => {
    const { home, install, places, calls } = await machine('systemd');
    await install();
    const name = jobName(home, 'shop');
    expect(await calls()).toEqual([
      'daemon-reload',
      `enable ${name}.timer ${name}-start.service`,
      `start ${name}.timer ${name}-start.service`,
    ]);
    await removeSchedule('shop', { home, places });
    expect((await calls()).slice(3)).toEqual([
      `disable ${name}.timer ${name}-start.service`,
      `stop ${name}.timer`,
      'daemon-reload',
    ]);
  });
});

describe('a schedule that could not run', () => {
  it.each([
    ['Node.js is not there', '/nowhere/node', undefined],
    ['the program is not there', process.execPath, '/nowhere/holdfast.cjs'],
  ])('is refused when %s, and nothing is written', async (_, node, missing) => {
    const { home, places, program } = await machine('cron.d');
    await expect(
      installSchedule(specify(), { home, node, program: missing ?? program, places }),
    ).rejects.toMatchObject({ code: 'configuration' });
    expect(await fs.readdir(places.directory)).toEqual([]);
    await succeed('test', ['!', '-e', path.join(clusterPaths(home, 'shop').root, 'schedule.json')]);
  });
});
