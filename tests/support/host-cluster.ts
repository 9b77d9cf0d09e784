import fs from 'node:fs/promises';
import path from 'node:path';
import { stack } from '../../core/settings/stack';
import { isHost, ofEngine, type HostSpecification } from '../../core/specification';
import { pathsOf, type ClusterPaths } from '../../engines/host/layout';
import { runningPostmaster } from '../../engines/host/postgres/data-directory';
import { findInstallation } from '../../engines/host/postgres/installation';
import { stopServer } from '../../engines/host/postgres/server';
import { apply, type ApplyOutcome } from '../../engines/host/provision/apply';
import { tempDir } from './temp';

/** What a test says of a cluster; the rest are the defaults of a stack file. */
export interface ClusterOverrides {
  readonly name?: string;
  readonly environment?: 'production' | 'staging';
  /** As under `holdfast:clusters.<name>` of a stack file. */
  readonly cluster?: Readonly<Record<string, unknown>>;
  readonly alerts?: Readonly<Record<string, unknown>>;
  /** Another home than a fresh one. */
  readonly home?: string;
}

/** The specification of a cluster as `pulumi up` would make it of a stack file. */
export function specify(overrides: ClusterOverrides = {}): HostSpecification {
  const { name = 'shop', environment = 'production' } = overrides;
  const settings = stack.parse({
    environment,
    clusters: { [name]: overrides.cluster ?? {} },
    ...(overrides.alerts === undefined ? {} : { alerts: overrides.alerts }),
  });
  const specification = {
    schema: 1,
    stack: `test/${environment}`,
    environment,
    cluster: name,
    settings: settings.clusters[name]!,
    alerts: settings.alerts,
  } as const;
  return ofEngine(specification, isHost, 'host');
}

export interface TestCluster {
  readonly home: string;
  readonly name: string;
  readonly specification: HostSpecification;
  readonly paths: ClusterPaths;
  readonly outcome: ApplyOutcome;
  /** Stops it and removes its home, clones too. */
  drop(): Promise<void>;
}

/** A real managed cluster, running, in a home of its own. Run it as a user that PostgreSQL accepts (the engine suite does). */
export async function createCluster(overrides: ClusterOverrides = {}): Promise<TestCluster> {
  const specification = specify(overrides);
  const home = overrides.home ?? path.join(tempDir(0o700), 'home');
  const paths = pathsOf(home, specification);
  const outcome = await apply(
    { specification, revision: 1 },
    { home, program: null, report: () => undefined },
  );
  return {
    home,
    name: specification.cluster,
    specification,
    paths,
    outcome,
    drop: () => dropHome(home),
  };
}

/** Stops all servers below a home, and removes it and the sockets that its clusters have elsewhere. */
export async function dropHome(home: string): Promise<void> {
  const clusters = path.join(home, 'clusters');
  for (const name of await fs.readdir(clusters).catch(() => [])) {
    const root = path.join(clusters, name);
    for (const directory of await dataDirectories(root)) {
      if ((await runningPostmaster(directory)) === null) continue;
      const version = Number.parseInt(await fs.readFile(path.join(directory, 'PG_VERSION'), 'utf8'), 10);
      await stopServer(
        await findInstallation(version),
        { dataDirectory: directory, log: path.join(root, 'log'), cluster: name },
        'immediate',
      );
    }
    const { socketDirectory } = pathsOf(home, specify({ name }));
    if (!socketDirectory.startsWith(home)) await fs.rm(socketDirectory, { recursive: true, force: true });
  }
  await fs.rm(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
}

async function dataDirectories(directory: string, depth = 0): Promise<string[]> {
  const entries = await fs.readdir(directory, { withFileTypes: true }).catch(() => []);
  if (entries.some(entry => entry.name === 'PG_VERSION')) return [directory];
  if (depth === 3) return [];
  const below = entries.filter(entry => entry.isDirectory()).map(entry => path.join(directory, entry.name));
  return (await Promise.all(below.map(one => dataDirectories(one, depth + 1)))).flat();
}
