import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { HoldfastError } from '../../../core/errors';
import { isAbsent, readIfThere } from '../files';

/*
 * What the files of a data directory say, without a server.
 */

/** Major version of the cluster in a data directory; null when it holds none. */
export async function dataVersion(dataDirectory: string): Promise<number | null> {
  const text = await readIfThere(path.join(dataDirectory, 'PG_VERSION'));
  return text === null ? null : Number.parseInt(text, 10);
}

/** `pg_control_version`s: 1300 is PostgreSQL 13 to 16, 1700 is 17, 1800 is 18. */
const knownControlVersions = [1300, 1700, 1800];

/**
 * The system identifier of a data directory: the first eight bytes of `global/pg_control` in the machine's byte order
 * (src/include/catalog/pg_control.h), followed by the version of the file's format. A string: it exceeds 2^53.
 *
 * @returns null when there is no control file.
 * @throws HoldfastError `engine-failed` when it isn't one.
 */
export async function systemIdentifierOf(dataDirectory: string): Promise<string | null> {
  const file = path.join(dataDirectory, 'global', 'pg_control');
  const head = Buffer.alloc(12);
  try {
    const handle = await fs.open(file, 'r');
    try {
      await handle.read(head, 0, head.length, 0);
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (isAbsent(error)) return null;
    throw error;
  }
  const little = os.endianness() === 'LE';
  const format = little ? head.readUInt32LE(8) : head.readUInt32BE(8);
  if (!knownControlVersions.includes(format))
    throw new HoldfastError('engine-failed', `${file} is not the control file of a known version`, {
      hint: 'Is it damaged? `pg_controldata` tells more. Restore the cluster from a backup.',
    });
  return (little ? head.readBigUInt64LE(0) : head.readBigUInt64BE(0)).toString();
}

/** What a running (or killed) postmaster wrote down. */
export interface Postmaster {
  readonly pid: number;
  readonly port: number;
  /** Its first Unix socket's directory; empty when it has none. */
  readonly socketDirectory: string;
  /** Its first TCP address; empty when it listens on none. */
  readonly listenAddress: string;
  /** `ready`, `starting`, `stopping`, `standby`. */
  readonly status: string;
}

/** The postmaster that runs on a data directory; null when none does. */
export async function runningPostmaster(dataDirectory: string): Promise<Postmaster | null> {
  const text = await readIfThere(path.join(dataDirectory, 'postmaster.pid'));
  if (text === null) return null;
  // src/include/utils/pidfile.h: pid, data directory, start time, port, socket directory, address, shared memory, status.
  const lines = text.split('\n').map(line => line.trim());
  const [pid, , , port, socketDirectory = '', listenAddress = '', , status = ''] = lines;
  const found = { pid: Number(pid), port: Number(port), socketDirectory, listenAddress, status };
  return Number.isInteger(found.pid) && found.pid > 1 && (await isPostmaster(found.pid)) ? found : null;
}

/** A pid file outlives a killed postmaster, and its pid may be somebody else's by now. */
async function isPostmaster(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  if (process.platform !== 'linux') return true;
  // proc(5): pid, name in brackets, state. Nobody may have reaped one that was killed.
  const stat = await readIfThere(`/proc/${pid}/stat`).catch(() => null);
  const [, name = '', state = ''] = /^\d+ \((.*)\) (\S)/s.exec(stat ?? '') ?? [];
  return stat === null || (/^(postgres|postmaster)\b/.test(name) && state !== 'Z');
}
