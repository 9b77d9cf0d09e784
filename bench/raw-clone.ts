import fs from 'node:fs';
import path from 'node:path';
import type { Bench } from './bench';
import { timed } from './measure';

const port = 5432;

/** What one would type: restore beside, start, wait until it is promoted and answers. Seconds. */
export async function rawClone(bench: Bench): Promise<number> {
  const scratch = bench.scratch();
  const data = path.join(scratch, 'data');
  const pgCtl = path.join(bench.bin, 'pg_ctl');
  const settings = [
    `-c port=${port}`,
    "-c listen_addresses=''",
    `-c unix_socket_directories=${scratch}`,
    '-c archive_mode=off',
    '-c logging_collector=off',
  ].join(' ');
  try {
    const restored = await timed(bench.pgbackrest(`--pg1-path=${data}`, '--archive-mode=off', 'restore'));
    const log = path.join(scratch, 'log');
    const started = await timed(
      bench.asOwner(pgCtl, '-D', data, '-o', settings, '-l', log, '-w', '-t', '600', 'start'),
    );
    const promoted = await untilPromoted(bench, scratch);
    return restored.seconds + started.seconds + promoted;
  } finally {
    if (fs.existsSync(path.join(data, 'postmaster.pid')))
      await timed(bench.asOwner(pgCtl, '-D', data, '-m', 'immediate', '-w', 'stop'));
    fs.rmSync(scratch, { recursive: true, force: true });
  }
}

async function untilPromoted(bench: Bench, socketDirectory: string): Promise<number> {
  const ask = bench.psql('select not pg_is_in_recovery()', { host: socketDirectory, port });
  for (let total = 0; ;) {
    const { seconds, stdout } = await timed(ask);
    total += seconds;
    if (stdout.trim() === 't') return total;
  }
}
