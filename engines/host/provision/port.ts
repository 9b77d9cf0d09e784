import fs from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { HoldfastError } from '../../../core/errors';
import { clusterPaths } from '../layout';
import { readRecord } from '../record';

const firstPort = 5440;
const lastPort = 5999;

/**
 * Runs `remember` with the port of a new cluster: the one that is wanted, or a free one. The port is held meanwhile, so
 * that of two clusters that are provisioned at once each gets its own: whoever can hold it next finds it remembered.
 *
 * @throws HoldfastError `configuration` when the wanted port is in use.
 */
export async function withNewPort<T>(
  request: {
    readonly home: string;
    readonly cluster: string;
    readonly wanted: number | undefined;
    readonly addresses: readonly string[];
  },
  remember: (port: number) => Promise<T>,
): Promise<T> {
  const { wanted, addresses, cluster } = request;
  const candidates =
    wanted === undefined
      ? Array.from({ length: lastPort - firstPort + 1 }, (_, index) => firstPort + index)
      : [wanted];
  for (const port of candidates) {
    const held = await hold(port, addresses);
    if ('inUse' in held) {
      if (wanted !== undefined) throw portInUse(cluster, port, held.inUse);
      continue;
    }
    try {
      // A port that somebody asked for by name isn't questioned: that cluster may be gone for good.
      if (wanted === undefined && (await isRemembered(request.home, cluster, port))) continue;
      return await remember(port);
    } finally {
      await held.release();
    }
  }
  throw new HoldfastError('configuration', `no port from ${firstPort} to ${lastPort} is free`, {
    hint: `Name one as \`clusters.${cluster}.source.port\`.`,
  });
}

export async function isPortFree(port: number, addresses: readonly string[]): Promise<boolean> {
  const held = await hold(port, addresses);
  if ('inUse' in held) return false;
  await held.release();
  return true;
}

/** @throws HoldfastError `configuration` when something listens there. */
export async function assertPortFree(
  cluster: string,
  port: number,
  addresses: readonly string[],
): Promise<void> {
  const held = await hold(port, addresses);
  if ('inUse' in held) throw portInUse(cluster, port, held.inUse);
  await held.release();
}

function portInUse(cluster: string, port: number, address: string): HoldfastError {
  return new HoldfastError(
    'configuration',
    `port ${port} of cluster ${cluster} is in use on ${address} by something else`,
    {
      hint: `Stop what listens there, or name a free port as \`clusters.${cluster}.source.port\`.`,
    },
  );
}

type Held = { readonly release: () => Promise<void> } | { readonly inUse: string };

async function hold(port: number, addresses: readonly string[]): Promise<Held> {
  const servers: net.Server[] = [];
  const release = async (): Promise<void> => {
    await Promise.all(servers.map(server => new Promise(resolve => server.close(resolve))));
  };
  for (const address of addresses) {
    const host = address === '*' ? '0.0.0.0' : address;
    try {
      servers.push(await listen(port, host));
    } catch (error) {
      // Other troubles (no such address on this machine) are PostgreSQL's to tell when it starts.
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') continue;
      await release();
      return { inUse: address };
    }
  }
  return { release };
}

function listen(port: number, host: string): Promise<net.Server> {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once('error', reject);
    server.listen({ port, host, exclusive: true }, () => resolve(server));
  });
}

/** Whether another cluster of this home, which may be stopped, has the port. */
async function isRemembered(home: string, cluster: string, port: number): Promise<boolean> {
  const names = await fs.readdir(path.join(home, 'clusters')).catch(() => []);
  for (const name of names) {
    if (name === cluster) continue;
    // A record that can't be read, of another owner's cluster, claims nothing: a clash is found when the server starts.
    const record = await readRecord(clusterPaths(home, name)).catch(() => null);
    if (record?.port === port) return true;
  }
  return false;
}
