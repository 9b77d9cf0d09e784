import path from 'node:path';
import {
  cron,
  ensureSystemPackages,
  pgBackRest,
  postgresServer,
  program,
} from '../../jobs/up/system-packages';
import { ensureToolchain } from '../../toolchain/install';

/** What the tests need of the machine, beyond what `npm start` installs: a server to log in to, with sudo, and a clock to turn back. */
const needs = [
  postgresServer(15),
  pgBackRest,
  cron,
  program('sshd', { apt: 'openssh-server', brew: null }),
  program('ssh', { apt: 'openssh-client', brew: null }),
  program('sudo', { brew: null }),
  program('faketime', { brew: 'libfaketime' }),
  program('unshare', { apt: 'util-linux', brew: null }),
];

/** Installs what is missing; with everything there it takes no time. */
export async function prepareMachine(report: (line: string) => void): Promise<void> {
  await ensureSystemPackages(needs, { report, signal: new AbortController().signal });
  await ensureToolchain({ projectDirectory: path.resolve(__dirname, '../..'), report });
}
