import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseHostSpecification } from '../core/specification';
import { findInstallation } from '../engines/host/postgres/installation';
import { clusterPaths, type ClusterPaths } from '../engines/host/layout';
import { identityOf, type Identity } from '../engines/host/owner';
import { superuserOf } from '../engines/host/provision/context';
import { readRecord } from '../engines/host/record';
import { holdfastHome } from '../jobs/embedded';
import { ownProgram } from '../jobs/program';
import { embeddedPlace, type Place } from '../jobs/up/place';
import { pulumiProgram, repositoryRoot } from '../tests/support/pulumi';
import { timed, type Measured, type Timed } from './measure';

const cluster = 'prod';

/** The embedded default, brought up in a directory of its own, and how to run ours and the raw tools in it. */
export class Bench {
  readonly place: Place;
  readonly pulumi = pulumiProgram();

  private constructor(
    readonly home: string,
    readonly paths: ClusterPaths,
    readonly port: number,
    readonly superuser: string,
    /** PostgreSQL's programs. */
    readonly bin: string,
    private readonly identity: Identity | undefined,
  ) {
    this.place = embeddedPlace(home);
  }

  static async start(say: (line: string) => void): Promise<Bench> {
    const home = holdfastHome();
    if (process.getuid?.() === 0) fs.chmodSync(home, 0o755);
    say(`bringing staging and production up in ${home}`);
    execFileSync(process.execPath, [path.join(repositoryRoot, 'scripts/start.mjs')], {
      env: { ...process.env, HOLDFAST_HOME: home },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const paths = clusterPaths(home, cluster);
    const record = await readRecord(paths);
    const specification = parseHostSpecification(JSON.parse(fs.readFileSync(paths.specification, 'utf8')));
    if (typeof record?.port !== 'number') throw new Error(`${cluster} has no port, although it is up`);
    const { bin } = await findInstallation(record.pgVersion);
    const isRoot = process.getuid?.() === 0;
    const identity = isRoot ? identityOf(specification.settings.owner) : undefined;
    return new Bench(home, paths, record.port, superuserOf(specification), bin, identity);
  }

  /** A command of ours, as a person runs it. */
  holdfast(...args: readonly string[]): Timed {
    return {
      program: process.execPath,
      args: [ownProgram().file, '--home', this.home, ...args],
      cwd: repositoryRoot,
      env: { ...process.env, ...this.place.env },
    };
  }

  /** A raw tool, run by the cluster's owner. */
  asOwner(program: string, ...args: readonly string[]): Timed {
    return {
      program,
      args,
      cwd: '/',
      env: { PATH: process.env.PATH, LC_ALL: 'C.UTF-8', HOME: '/' },
      ...(this.identity === undefined ? {} : { identity: this.identity }),
    };
  }

  pgbackrest(...args: readonly string[]): Timed {
    return this.asOwner('pgbackrest', `--config=${this.paths.configuration}`, `--stanza=${cluster}`, ...args);
  }

  psql(sql: string, { host = this.paths.socketDirectory, port = this.port } = {}): Timed {
    const where = ['-h', host, '-p', String(port), '-U', this.superuser, '-d', 'postgres'];
    return this.asOwner(path.join(this.bin, 'psql'), '-XqAt', ...where, '-v', 'ON_ERROR_STOP=1', '-c', sql);
  }

  /** Plain Pulumi; with the policy pack or, `bare`, without. */
  preview(stack: string, { bare }: { readonly bare: boolean }): Timed {
    const { PULUMI_OPTION_POLICY_PACK: pack, ...env } = this.place.env;
    return {
      program: this.pulumi,
      args: ['preview', '--stack', stack, '--non-interactive', '--color=never'],
      cwd: repositoryRoot,
      env: {
        ...process.env,
        ...env,
        ...(bare || pack === undefined ? {} : { PULUMI_OPTION_POLICY_PACK: pack }),
        PATH: `${path.dirname(this.pulumi)}${path.delimiter}${process.env.PATH ?? ''}`,
      },
    };
  }

  /** Makes the production cluster at least this large, once. */
  async fill(bytes: number): Promise<void> {
    const size = async () =>
      Number((await timed(this.psql('select sum(pg_database_size(oid)) from pg_database'))).stdout);
    if ((await size()) >= bytes) return;
    // Rows that don't compress to nothing: 32 hexadecimal digits of chance in each.
    await timed(
      this.psql(
        `create table if not exists bench_rows as
         select i, md5(i::text || random()::text) || md5(random()::text) as filler
         from generate_series(1, ${Math.ceil(bytes / 100)}) as i`,
      ),
    );
    await timed(this.psql('checkpoint'));
    const reached = await size();
    if (reached < bytes)
      throw new Error(`prod has ${reached} bytes, not the ${bytes} that are to be measured`);
  }

  /** A directory that the cluster's owner may write to. */
  scratch(): string {
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-bench-raw-'));
    if (this.identity) fs.chownSync(directory, this.identity.uid, this.identity.gid);
    return directory;
  }
}

export const seconds = async (what: Promise<Measured>): Promise<number> => (await what).seconds;
